import { strategyKey } from "../data/strategies.js"
import { byId, element } from "../lib/dom.js"

/** Which letter is which strategy's, beside the list's title. */
export function createStrategyKey() {
  const key = byId("strategy-key")
  let written = ""
  return {
    /** @param {Iterable<string>} found strategies in the data, besides those that are always named */
    show(found) {
      const entries = strategyKey(found)
      const text = JSON.stringify(entries)
      if (text === written) return
      written = text
      const unseen = element("span", { className: "unseen", textContent: "Letters of strategies: " })
      key.replaceChildren(unseen, ...entries.flatMap(({ letter, name }) => {
        const entry = element("span")
        entry.append(element("i", { className: "letter", textContent: letter }), ` ${name}`)
        return [entry, " "]
      }))
    },
  }
}
