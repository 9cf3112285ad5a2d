/** @import { Player } from "./player.js" */
import { createSelect } from "./controls.js"
import { byId, control } from "../lib/dom.js"
import { listenKeys } from "../lib/keys.js"
import { writeLocation } from "../lib/location.js"

const SPEEDS = [1, 10, 60, 300]
const BUTTONS = ["play", "step-back", "step-forward"]

/**
 * The buttons, the speed list and the keys of a replay. The player changes with the range, so it
 * is asked for each time.
 * @param {() => Player} player
 */
export function createTransport(player) {
  const speeds = createSelect("speed", (value) => player().setSpeed(Number(value)))
  const actions = {
    play: () => player().toggle(),
    back: () => player().step(-1),
    forward: () => player().step(1),
  }
  byId("play").onclick = actions.play
  byId("step-back").onclick = actions.back
  byId("step-forward").onclick = actions.forward
  listenKeys({
    " ": actions.play,
    ArrowLeft: actions.back,
    ArrowRight: actions.forward,
    Home: () => player().seek(player().timeline.start),
    End: () => player().seek(player().timeline.end),
  })

  return {
    /** @param {boolean} ready whether there is something to play */
    show(ready) {
      const { playing, speed } = player()
      byId("transport").dataset.playing = String(playing)
      byId("play").setAttribute("aria-pressed", String(playing))
      byId("play").setAttribute("aria-label", playing ? "Pause" : "Play")
      for (const id of BUTTONS) control(id, HTMLButtonElement).disabled = !ready
      const values = SPEEDS.includes(speed) ? SPEEDS : [...SPEEDS, speed].sort((a, b) => a - b)
      speeds.show(
        values.map((value) => ({ value: String(value), text: `${value}\u00d7` })), String(speed))
      writeLocation({ speed })
    },
  }
}
