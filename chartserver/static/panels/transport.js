/** @import { Player } from "./player.js" */
import { byId, control } from "../lib/dom.js"
import { registerKeys } from "../lib/keys.js"
import { createSelect } from "./controls.js"

export const SPEEDS = [1, 2, 5, 10, 30, 60, 120, 300]

/**
 * The buttons and the speed list of a replay. The player changes with the range, so it
 * is asked for each time.
 * @param {() => Player} player
 * @param {object} moments where steps lead
 * @param {(direction: 1 | -1) => number} moments.candle
 * @param {(direction: 1 | -1) => Promise<number>} moments.event
 * @param {() => void} startHere
 */
export function createTransport(player, moments, startHere) {
  const speeds = createSelect("speed", (value) => player().setSpeed(Number(value)))
  const actions = {
    play: () => player().toggle(),
    "to-start": () => player().step(player().timeline.start),
    "step-back": () => player().step(moments.candle(-1)),
    "step-forward": () => player().step(moments.candle(1)),
    "event-back": () => void moments.event(-1).then((time) => player().step(time)),
    "event-forward": () => void moments.event(1).then((time) => player().step(time)),
  }
  for (const [id, run] of Object.entries(actions)) byId(id).onclick = run
  // The other keys are in the markup, with their buttons.
  registerKeys([
    { keys: ["End"], does: "To the end", run: () => player().step(player().timeline.end) },
    { keys: ["g"], does: "Start at the candle under the crosshair", run: startHere },
  ])

  return {
    /** @param {boolean} ready whether there is something to play */
    show(ready) {
      const { playing, speed } = player()
      byId("transport").dataset.playing = String(playing)
      byId("play").setAttribute("aria-pressed", String(playing))
      byId("play").setAttribute("aria-label", playing ? "Pause" : "Play")
      for (const id of Object.keys(actions)) control(id, HTMLButtonElement).disabled = !ready
      const values = SPEEDS.includes(speed) ? SPEEDS : [...SPEEDS, speed].sort((a, b) => a - b)
      speeds.show(
        values.map((value) => ({ value: String(value), text: `${value}\u00d7` })), String(speed))
    },
  }
}
