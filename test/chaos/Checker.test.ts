import { assert, describe, it } from "@effect/vitest"
import * as Checker from "./Checker.ts"
import * as World from "./World.ts"

const sound: World.Contents = { _tag: "Sound", lingersMillis: 0 }

const version = (name: string, contents: World.Contents = sound): World.Version => ({
  stream: World.streams.single,
  name,
  marker: `marker-${name}`,
  contents,
  lastModified: new Date(0),
  executions: new Map([["single-vault", `exec_${name}`]])
})

const execution = (name: string, change: Partial<Checker.Execution> = {}): Checker.Execution => ({
  id: `exec_${name}`,
  vault_id: "single-vault",
  task_id: `task_${name}`,
  status: "completed",
  content: null,
  error: null,
  enqueued_at: "2026-01-02T10:30:00+00:00",
  started_at: "2026-01-02T10:30:00+00:00",
  completed_at: "2026-01-02T10:30:00+00:00",
  number_of_items: 1,
  ...change
})

const failure = { status: "failed", error: "Not a PDF" }
const crash = { status: "failed", error: "Crash: 3 workers died over this message." }

const deeds: Checker.Deeds = {
  versions: [version("sound"), version("broken", { _tag: "Broken" })],
  removed: new Set(),
  malformed: [{ token: "malformed-0-", text: "no JSON malformed-0-" }],
  deletedVaults: new Set(),
  maxRetries: 3,
  edits: [],
  outages: [],
  concerned: new Set(),
  traffic: {
    storyOf: () => [],
    receives: new Map([["exec_sound", 1]]),
    starts: new Map([["exec_sound", 1]]),
    messagesOf: new Map(),
    mostRetries: new Map(),
    trespasses: [],
    regressions: []
  }
}

const remains: Checker.Remains = {
  executions: [execution("sound"), execution("broken", failure)],
  outputs: new Map([["single/sound", "… marker-sound …"]]),
  messages: 0,
  visible: [],
  poison: [
    JSON.stringify({ reason: "Not a PDF", body: '{"execution_id": "exec_broken"}' }),
    JSON.stringify({ reason: "Not JSON", body: "no JSON malformed-0-" })
  ],
  locks: []
}

const missed = (did: Partial<Checker.Deeds>, left: Partial<Checker.Remains>): ReadonlyArray<string> =>
  Checker.check({ ...deeds, ...did }, { ...remains, ...left })
    .filter(({ misses }) => misses.length > 0)
    .map(({ rule }) => rule)

const without = (index: number) => remains.poison.filter((_, at) => at !== index)

describe("The account of a chaos run", () => {
  it("finds nothing where nothing is wrong", () => assert.deepStrictEqual(missed({}, {}), []))

  const cases: ReadonlyArray<readonly [what: string, rule: RegExp, Partial<Checker.Deeds>, Partial<Checker.Remains>]> =
    [
      ["a lost document", /exactly one execution/, {}, { executions: [execution("broken", failure)] }],
      [
        "an execution of nothing",
        /a document version that was there/,
        {},
        { executions: [...remains.executions, execution("x")] }
      ],
      [
        "one that still runs",
        /terminal/,
        {},
        { executions: [execution("sound", { status: "running" }), execution("broken", failure)] }
      ],
      [
        "content that is no list",
        /contract/,
        {},
        { executions: [execution("sound", { content: {} }), execution("broken", failure)] }
      ],
      [
        "a sound document that failed",
        /sound documents/,
        {},
        {
          executions: [execution("sound", failure), execution("broken", failure)],
          poison: [...remains.poison, '{"reason": "?", "body": "exec_sound"}']
        }
      ],
      ["a missing output", /has the output of its newest/, {}, { outputs: new Map() }],
      ["another document's output", /has the output/, {}, { outputs: new Map([["single/sound", "marker-other"]]) }],
      [
        "the output of an older version",
        /has the output of its newest/,
        { versions: [{ ...version("sound"), marker: "marker-0-", executions: new Map() }, ...deeds.versions] },
        { outputs: new Map([["single/sound", "marker-0-"]]) }
      ],
      [
        "a sound document that is taken for a killer",
        /set aside as a crash/,
        {},
        {
          executions: [execution("sound", crash), execution("broken", failure)],
          poison: [...remains.poison, '{"reason": "Crash", "body": "exec_sound"}']
        }
      ],
      [
        "a killer that fails for another reason",
        /set aside as a crash/,
        { versions: [version("sound"), version("broken", { _tag: "Killer" })] },
        {}
      ],
      [
        "a poison message of a document that was deleted",
        /deleted or replaced is no poison message/,
        { removed: new Set(["single/sound"]) },
        {
          executions: [execution("sound", failure), execution("broken", failure)],
          poison: [...remains.poison, '{"reason": "Not there", "body": "exec_sound"}']
        }
      ],
      [
        "a poison message of a version that was replaced",
        /deleted or replaced is no poison message/,
        { versions: [{ ...version("sound"), executions: new Map([["single-vault", "exec_old"]]) }, ...deeds.versions] },
        {
          executions: [...remains.executions, execution("old", failure)],
          poison: [...remains.poison, '{"reason": "Changed", "body": "exec_old"}']
        }
      ],
      [
        "a note that somebody wrote and a worker lost",
        /what others added/,
        { edits: [{ executionId: "exec_sound", field: "note_1", value: "by hand" }] },
        {}
      ],
      [
        "a storm of calls in an outage",
        /few calls a second/,
        {
          outages: [
            {
              service: "cosmos",
              kind: "403",
              countedMillis: 60_000,
              calls: [{ worker: 0, refused: 600, requests: new Map(), all: 600 }]
            }
          ]
        },
        {}
      ],
      [
        "a storm of calls of the services that are there",
        /few calls a second/,
        {
          outages: [
            {
              service: "cosmos",
              kind: "403",
              countedMillis: 60_000,
              calls: [{ worker: 0, refused: 60, requests: new Map(), all: 3_000 }]
            }
          ]
        },
        {}
      ],
      [
        "an older version written over a newer one",
        /older version replaced/,
        {
          traffic: { ...deeds.traffic, regressions: [{ worker: "w", document: "d", executions: [], because: "old" }] }
        },
        {}
      ],
      ["a failure whose message is gone", /failed execution has a reason/, {}, { poison: without(0) }],
      ["a malformed message that is gone", /malformed message is kept/, {}, { poison: without(1) }],
      [
        "a poison message of a document that is fine",
        /reason and a cause/,
        {},
        { poison: [...remains.poison, '{"reason": "?", "body": "exec_sound"}'] }
      ],
      ["a message", /no message is left/, {}, { messages: 1 }],
      [
        "a lock",
        /no lock is left/,
        {},
        { locks: [{ id: "lock", pipeline_id: "single", expires_at: "2026-01-02T10:30:00+00:00" }] }
      ],
      [
        "an attempt too many",
        /handed out for it/,
        { traffic: { ...deeds.traffic, starts: new Map([["exec_sound", 2]]) } },
        {}
      ],
      ["a retry too many", /budget/, { traffic: { ...deeds.traffic, mostRetries: new Map([["exec_sound", 4]]) } }, {}],
      [
        "an output of a lost attempt",
        /lost its lease/,
        {
          traffic: { ...deeds.traffic, trespasses: [{ worker: "w", document: "d", executions: [], because: "late" }] }
        },
        {}
      ]
    ]
  it("expects nothing more of a deleted vault's document whose message was never sent", () => {
    const orphan = execution("orphan", {
      status: "pending",
      vault_id: "doomed-vault",
      enqueued_at: null,
      started_at: null,
      completed_at: null
    })
    const versions = [...deeds.versions, { ...version("orphan"), executions: new Map([["doomed-vault", orphan.id]]) }]
    const left = { executions: [...remains.executions, orphan] }
    assert.deepStrictEqual(missed({ versions, deletedVaults: new Set(["doomed-vault"]) }, left), [])
    assert.include(missed({ versions }, left), "every execution is terminal")
    // A message of its life before the deletion may have been delivered.
    const traffic = {
      ...deeds.traffic,
      receives: new Map([
        ["exec_sound", 1],
        ["exec_orphan", 1]
      ])
    }
    assert.deepStrictEqual(missed({ versions, traffic, deletedVaults: new Set(["doomed-vault"]) }, left), [])
    for (const more of [{ enqueued_at: "2026-01-02T10:00:00Z" }, { started_at: "2026-01-02T10:00:00Z" }]) {
      const begun = { executions: [...remains.executions, { ...orphan, ...more }] }
      assert.include(
        missed({ versions, deletedVaults: new Set(["doomed-vault"]) }, begun),
        "every execution is terminal"
      )
    }
  })

  it("expects nothing of a document that was deleted but an end without a poison message", () => {
    const removed = new Set(["single/sound"])
    for (const executions of [[execution("broken", failure)], [execution("sound"), execution("broken", failure)]]) {
      assert.deepStrictEqual(missed({ removed }, { executions, outputs: new Map() }), [])
    }
    const pending = [execution("sound", { status: "pending", completed_at: null }), execution("broken", failure)]
    assert.deepStrictEqual(missed({ removed }, { executions: pending }), ["every execution is terminal"])
  })

  it("accepts that retries were used up by single faults, and not that an outage used them up", () => {
    const error = "Max retries exceeded"
    const left = {
      executions: [execution("sound", { status: "failed", error }), execution("broken", failure)],
      poison: [...remains.poison, JSON.stringify({ reason: error, body: "exec_sound" })]
    }
    assert.deepStrictEqual(missed({}, left), [])
    const traffic = { ...deeds.traffic, messagesOf: new Map([["exec_sound", new Set(["message"])]]) }
    for (const name of ["sound", "exec_sound", "message"]) {
      assert.deepStrictEqual(missed({ traffic, concerned: new Set([name]) }, left), [
        "sound documents are completed, broken ones and killers failed"
      ])
    }
  })

  it("accepts a killer that is set aside, a note that is kept, and an outage that costs little", () => {
    const did: Partial<Checker.Deeds> = {
      versions: [version("sound"), version("broken", { _tag: "Killer" })],
      edits: [
        { executionId: "exec_sound", field: "note_1", value: "by hand" },
        { executionId: "exec_withdrawn", field: "note_2", value: "by hand" }
      ],
      outages: [
        {
          service: "blob",
          kind: "503",
          countedMillis: 60_000,
          calls: [{ worker: 0, refused: 90, requests: new Map(), all: 300 }]
        }
      ]
    }
    const executions = [execution("sound", { note_1: "by hand" }), execution("broken", crash)]
    const heartbeat = { id: "contentflow-worker-1", kind: "worker", pipeline_id: "none", expires_at: "" }
    assert.deepStrictEqual(missed(did, { executions, locks: [heartbeat] }), [])
    const again = [execution("sound", { vault_id: "doomed-vault" }), execution("broken", crash)]
    assert.deepStrictEqual(missed({ ...did, deletedVaults: new Set(["doomed-vault"]) }, { executions: again }), [])
  })

  describe("of outputs that follow their documents", () => {
    const exact = "outputs that follow their documents are exactly those of the present ones"
    const answered = "every output holds the model's answers to its own document and row"
    const newest = "every completed document has the output of its newest version"
    const rows = (name: string, marker: string, count: number): World.Version => ({
      ...version(name, { _tag: "Sound", lingersMillis: 0, rows: count }),
      stream: World.streams.followed,
      marker,
      executions: new Map([["followed-vault", `exec_${name}_${marker}`]])
    })
    const output = (name: string, marker: string, number: number, row = number) =>
      [
        `followed/${name}-${number}`,
        JSON.stringify({ data: { summary: `answer about ${marker}`, told: `answer about ${marker} row ${row}.` } })
      ] as const
    const seen = (
      versions: ReadonlyArray<World.Version>,
      outputs: ReadonlyArray<readonly [string, string]>,
      removed: ReadonlyArray<string> = [],
      change: Partial<Checker.Execution> = {}
    ) =>
      missed(
        { versions: [...deeds.versions, ...versions], removed: new Set(removed) },
        {
          executions: [
            ...remains.executions,
            ...versions.map(({ marker, name }) =>
              execution(`${name}_${marker}`, { vault_id: "followed-vault", ...change })
            )
          ],
          outputs: new Map([...remains.outputs, ...outputs]),
          poison: [...remains.poison, JSON.stringify({ reason: String(change.error), body: "exec_doc_marker-7-" })]
        }
      )
    const both = [output("doc", "marker-7-", 1), output("doc", "marker-7-", 2)]

    it("those of the present version are all there", () => {
      const one = rows("doc", "marker-7-", 2)
      const fine = missed(
        { versions: [...deeds.versions, one] },
        {
          executions: [...remains.executions, execution("doc_marker-7-", { vault_id: "followed-vault" })],
          outputs: new Map([...remains.outputs, ...both])
        }
      )
      assert.deepStrictEqual(fine, [])
      assert.includeMembers([...seen([one], both.slice(1))], [exact, newest])
    })

    it("those of an older version with more rows are gone", () => {
      const versions = [rows("doc", "marker-3-", 3), rows("doc", "marker-7-", 2)]
      assert.notInclude(seen(versions, both), exact)
      assert.include(seen(versions, [...both, output("doc", "marker-3-", 3)]), exact)
      assert.include(seen(versions, [output("doc", "marker-3-", 1), output("doc", "marker-7-", 2)]), newest)
    })

    it("those of a document that was deleted or renamed are gone", () => {
      const renamed = {
        ...rows("new", "marker-7-", 2),
        executions: new Map([["followed-vault", "exec_new_marker-7-"]])
      }
      const versions = [rows("doc", "marker-7-", 2), renamed]
      const moved = [output("new", "marker-7-", 1), output("new", "marker-7-", 2)]
      assert.notInclude(seen(versions, moved, ["followed/doc"]), exact)
      assert.include(seen(versions, [...moved, ...both], ["followed/doc"]), exact)
      assert.include(seen(versions, both, ["followed/doc"]), exact)
    })

    it("nobody can tell those of a document whose newest version failed", () => {
      const error = "Max retries exceeded"
      const one = rows("doc", "marker-7-", 2)
      for (const outputs of [[], both]) {
        assert.notInclude(seen([one], outputs, [], { status: "failed", error }), exact)
      }
    })

    it("answers of other rows and documents are found", () => {
      const one = rows("doc", "marker-7-", 2)
      const first = output("doc", "marker-7-", 1)
      assert.notInclude(seen([one], both), answered)
      assert.include(seen([one], [first, output("doc", "marker-7-", 2, 1)]), answered)
      const other = { data: { summary: "answer about marker-3-", told: "answer about marker-7- row 2." } }
      assert.include(seen([one], [first, ["followed/doc-2", JSON.stringify(other)]]), answered)
    })
  })

  it("tells what was done about an execution that was begun too often", () => {
    const story = ["10:00:00.000 w received message m (200)", "10:00:00.010 w set it to running (200)"]
    const traffic = { ...deeds.traffic, starts: new Map([["exec_sound", 2]]), storyOf: () => story }
    const misses = Checker.check({ ...deeds, traffic }, remains).flatMap((finding) => finding.misses)
    assert.lengthOf(misses, 1)
    for (const line of story) assert.include(misses[0], line)
    const trespass = { worker: "w", document: "d", executions: ["exec_sound"], because: "late" }
    const trespassing = { ...deeds.traffic, storyOf: () => story, trespasses: [trespass] }
    const [told] = Checker.check({ ...deeds, traffic: trespassing }, remains).flatMap((finding) => finding.misses)
    for (const line of ["w wrote d: late", ...story]) assert.include(told, line)
  })

  for (const [what, rule, did, left] of cases) {
    it(`finds ${what}`, () => {
      const found = missed(did, left)
      assert.isTrue(
        found.some((text) => rule.test(text)),
        `found only ${JSON.stringify(found)}`
      )
    })
  }
})
