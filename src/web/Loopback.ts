/** Whether a URL's `hostname` is this machine, where emulators listen. */
export const isLoopback = (hostname: string): boolean => /^(?:localhost|127\.0\.0\.1|\[::1\])$/i.test(hostname)
