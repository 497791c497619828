import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { Unavailable } from "../domain/ServiceError.ts"

/** What happens at one call of a service. */
export type Fault =
  /** The process ends before the call is made. */
  | "dies before"
  /** The call took effect, and the process ends before it hears the answer. */
  | "dies after"
  /** The call fails with Unavailable and does nothing; the process goes on. */
  | "fails before"
  /** The call takes effect, but its answer is Unavailable (a cut connection); the process goes on. */
  | "fails after"

export interface Incident {
  /** The call's number, from 0. */
  readonly at: number
  readonly fault: Fault
}

/** One process as its services see it: it calls them one after another, until one of the calls is its last. */
export interface CrashingProcess {
  /** The calls that were begun, as `Port.member` or `Service.container.member`, in their order. */
  readonly calls: ReadonlyArray<string>
  /** The call that the incident struck; undefined as long as none did. */
  readonly struck: () => string | undefined
  readonly alive: () => boolean
  /** Ends the process without any incident. */
  readonly kill: () => void
  /** The same services, whose every function, effect and stream, of their parts too, is a call that can be the one of the incident. */
  readonly wrap: <A>(services: Context.Context<A>) => Context.Context<A>
  /** One more thing that the process does and that can be struck. */
  readonly call: <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Unavailable, R>
}

export interface Options {
  readonly incident: Incident | undefined
  /** Members that call no service: they wait for something within the process. */
  readonly local?: ReadonlySet<string>
  /** Called when the process ends. */
  readonly onDeath?: () => void
  /** Done after every call that had an effect, before its answer is heard. */
  readonly afterEach?: Effect.Effect<void>
}

/**
 * A process with this incident before it. Once it is dead no call of it does anything or returns, those of its finalizers neither;
 * its fibers wait for ever, as if they were gone.
 */
export const make = ({ afterEach = Effect.void, incident, local, onDeath }: Options): CrashingProcess => {
  const calls: Array<string> = []
  let alive = true
  let struck: string | undefined
  const kill = () => {
    if (!alive) return
    alive = false
    onDeath?.()
  }

  /** The fault of the call that begins now. */
  const begin = (name: string): Fault | undefined => {
    const number = calls.push(name) - 1
    if (number !== incident?.at) return undefined
    struck = name
    return incident.fault
  }
  const dead = Effect.suspend(() => {
    kill()
    return never
  })
  /** An answer is not heard in a process that died meanwhile. */
  const heard = <A, E, R>(call: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Effect.exit(Effect.zipLeft(call, afterEach)), (exit) => (alive ? exit : never))

  const around = <A, E, R>(name: string, call: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unavailable, R> =>
    Effect.suspend((): Effect.Effect<A, E | Unavailable, R> => {
      if (!alive) return never
      if (local?.has(name) === true) return call
      switch (begin(name)) {
        case undefined:
          return heard(call)
        case "dies before":
          return dead
        case "dies after":
          return Effect.zipRight(Effect.exit(Effect.zipLeft(call, afterEach)), dead)
        case "fails before":
          return unavailable(name)
        case "fails after":
          return Effect.zipRight(heard(call), unavailable(name))
      }
    })

  const aroundStream = <A, E, R>(name: string, stream: Stream.Stream<A, E, R>): Stream.Stream<A, E | Unavailable, R> =>
    Stream.unwrap(
      Effect.sync((): Stream.Stream<A, E | Unavailable, R> => {
        if (!alive) return Stream.fromEffect(never)
        switch (begin(name)) {
          case undefined:
            return Stream.mapEffect(stream, (each) => (alive ? Effect.succeed(each) : never))
          case "dies before":
            return Stream.fromEffect(dead)
          case "dies after":
            return Stream.fromEffect(Effect.zipRight(Effect.exit(Stream.runDrain(stream)), dead))
          case "fails before":
            return Stream.fail(unavailable(name))
          case "fails after":
            return Stream.concat(stream, Stream.fail(unavailable(name)))
        }
      })
    )

  const wrapped = (name: string, member: unknown): unknown => {
    if (isStream(member)) return aroundStream(name, member)
    if (Effect.isEffect(member)) return around(name, member)
    // An object of a class is a client or a value, not a port.
    if (Predicate.isRecord(member) && Object.getPrototypeOf(member) === Object.prototype)
      return wrappedMembers(name, member)
    if (!Predicate.isFunction(member)) return member
    return (...args: ReadonlyArray<unknown>): unknown => {
      const result: unknown = Reflect.apply(member, undefined, args)
      return Effect.isEffect(result) || isStream(result) ? wrapped(name, result) : result
    }
  }
  const wrappedMembers = (name: string, members: object) =>
    Object.fromEntries(Object.entries(members).map(([key, member]) => [key, wrapped(`${name}.${key}`, member)]))

  return {
    calls,
    struck: () => struck,
    alive: () => alive,
    kill,
    call: around,
    wrap: <A>(services: Context.Context<A>) => {
      const all = new Map<string, unknown>()
      for (const [key, service] of services.unsafeMap)
        all.set(key, wrapped(key.slice(key.lastIndexOf("/") + 1), service))
      return Context.unsafeMake<A>(all)
    }
  }
}

/** Unlike Effect.never it keeps no timer. */
const never = Effect.async<never>(() => undefined)

const isStream = (value: unknown): value is Stream.Stream<unknown, unknown, unknown> =>
  Predicate.hasProperty(value, Stream.StreamTypeId)

const unavailable = (name: string) =>
  new Unavailable({ service: "Test", operation: name, message: `${name}: the connection was cut` })
