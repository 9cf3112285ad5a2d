// Put into each page before its own scripts: what benchmarks measure there, in the page's time.
;(() => {
  const frame = () => new Promise(requestAnimationFrame)

  const until = async (condition) => {
    while (!condition()) await frame()
  }

  /** Times of the index's candles that the page shows; a bare page says so itself. */
  const shown = () => window.bare ? window.bare.bars : (window.optionscalp?.candles("NIFTY").length ?? 0)

  /** The range that the index chart shows, in bars. */
  const visible = () => window.bare ? window.bare.visible() : window.optionscalp.axis().visible[0]

  const canvas = () => {
    const area = document.querySelector('[data-testid="chart-index"] canvas').getBoundingClientRect()
    const x = area.left + area.width * 0.6, y = area.top + area.height * 0.4
    return { x, y, element: document.elementFromPoint(x, y) }
  }

  const tasks = []
  new PerformanceObserver((list) => tasks.push(...list.getEntries())).observe({ type: "longtask" })

  window.bench = {
    /** Milliseconds from the navigation to the second frame after candles are there. */
    async painted(bars = 1) {
      await until(() => shown() >= bars)
      await frame()
      await frame()
      return performance.now()
    },

    /** Whether these symbols are on the charts and the ladder has the strike. */
    shows: (symbols, strike) =>
      symbols.every((symbol) => window.optionscalp.candles(symbol).length > 0) &&
      document.querySelector(`[data-testid="ladder-row"][data-strike="${strike}"]`) !== null,

    /** Milliseconds from the choice of a strike to the frame that shows it everywhere. */
    async chooseStrike(symbols, strike) {
      const select = document.querySelector('[data-testid="strike"]')
      const start = performance.now()
      select.value = String(strike)
      select.dispatchEvent(new Event("change", { bubbles: true }))
      await until(() => window.bench.shows(symbols, strike))
      await frame()
      return performance.now() - start
    },

    /** Turn the wheel until so many bars are seen; how many are. */
    async zoomOut(bars, turns) {
      const { x, y, element } = canvas()
      for (let turn = 0; turn < turns && visible().to - visible().from < bars; turn++) {
        element.dispatchEvent(new WheelEvent("wheel", {
          deltaY: 100, clientX: x, clientY: y, bubbles: true, cancelable: true,
        }))
        await frame()
      }
      const range = visible()
      return range.to - range.from
    },

    /** Drag the index chart to and fro, a step each frame; frames a second, and bars moved. */
    async pan(milliseconds) {
      const { x, y, element } = canvas()
      const mouse = (type, target, dx) => target.dispatchEvent(new MouseEvent(type, {
        clientX: x + dx, clientY: y, screenX: x + dx, screenY: y, button: 0,
        buttons: type === "mouseup" ? 0 : 1, bubbles: true, cancelable: true, view: window,
      }))
      const before = visible().from
      let frames = 0, moved = 0
      mouse("mousedown", element, 0)
      const start = await frame()
      let now = start
      while (now - start < milliseconds) {
        frames++
        mouse("mousemove", document.documentElement, 150 * Math.sin(frames / 12))
        now = await frame()
        moved = Math.max(moved, Math.abs(visible().from - before))
      }
      mouse("mouseup", document.documentElement, 0)
      return { rate: (1000 * frames) / (now - start), moved }
    },

    /** Durations of tasks above 50 ms that began since a moment of this page. */
    longTasks: (since) =>
      tasks.filter(({ startTime }) => startTime >= since).map(({ duration }) => duration),
  }
})()
