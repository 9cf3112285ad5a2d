// `node build.js`: the pages' modules as few small files, in dist/, for browsers to keep for ever.
//
// Each file's name has a hash of its content, so that an address never means two things. The
// manifest has a hash of the sources: the server compares it, and serves the plain modules where
// they have changed since. Nothing is done where it is right already.
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import path from "node:path"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"

import { build } from "esbuild"

const HERE = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname)
const STATIC = path.join(HERE, "static")
const DIST = path.join(HERE, "dist")
const MANIFEST = path.join(DIST, "manifest.json")
// Served as it is, in a file that all pages share: it is minified, and changes with its version only.
const LIBRARIES = {
  "lightweight-charts":
    "node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs",
}
const WORKER = "-worker.js"
const COMMON = {
  bundle: true, minify: true, write: false, format: "esm", target: "es2022", charset: "utf8",
  absWorkingDir: STATIC, outdir: DIST, logLevel: "error", legalComments: "inline",
}

/** @param {string | Uint8Array} content */
const sha256 = (content) => createHash("sha256").update(content).digest("hex")

/** One hash for all that the bundle is made of; chartserver/bundle.py makes the same. */
function sourcesHash() {
  const files = fs.readdirSync(STATIC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(HERE, path.join(entry.parentPath ?? entry.path, entry.name)))
  const all = [...files, ...Object.values(LIBRARIES), "build.js", "package-lock.json"].sort()
  return sha256(all.map((name) =>
    `${name} ${sha256(fs.readFileSync(path.join(HERE, name)))}\n`).join(""))
}

/** The built files by name. @type {Map<string, Uint8Array>} */
const built = new Map()

/**
 * @param {string} stem
 * @param {string} suffix
 * @param {Uint8Array} content
 * @returns {string} the file's name
 */
function add(stem, suffix, content) {
  const name = `${stem}-${sha256(content).slice(0, 12)}${suffix}`
  built.set(name, content)
  return name
}

const libraries = Object.fromEntries(Object.entries(LIBRARIES).map(([name, file]) =>
  [name, add(name, ".js", fs.readFileSync(path.join(HERE, file)))]))

const shared = {
  name: "shared",
  /** @param {import("esbuild").PluginBuild} setup */
  setup(setup) {
    for (const [name, file] of Object.entries(libraries)) {
      setup.onResolve({ filter: new RegExp(`^${name}$`) }, () =>
        ({ path: `./${file}`, external: true }))
    }
  },
}

/**
 * @param {string} entry path under static/
 * @returns {Promise<{ name: string, imports: string[] }>} names of the built file, and of libraries
 */
async function script(entry) {
  const result = await build({
    ...COMMON, entryPoints: [entry], metafile: true, plugins: [shared], entryNames: "[name]-[hash]",
  })
  const [file] = result.outputFiles
  const name = path.basename(file.path)
  built.set(name, file.contents)
  const imports = Object.values(result.metafile.outputs).flatMap((output) => output.imports)
  return { name, imports: [...new Set(imports.map((imported) => path.basename(imported.path)))] }
}

/** @param {string[]} sheets */
async function style(sheets) {
  const contents = sheets.map((sheet) => `@import "./${sheet}";\n`).join("")
  const result = await build({ ...COMMON, stdin: { contents, resolveDir: STATIC, loader: "css" } })
  return add("style", ".css", result.outputFiles[0].contents)
}

/**
 * What a page's head names: the fields of chartserver/head.py.
 * @param {string[]} assets
 */
async function head(assets) {
  const isWorker = (/** @type {string} */ name) => name.endsWith(WORKER)
  const all = (/** @type {string} */ suffix) => assets.filter((name) => name.endsWith(suffix))
  const code = await script(all(".js").filter((name) => !isWorker(name))[0])
  /** @type {Record<string, string>} */
  const workers = {}
  for (const name of assets.filter(isWorker)) {
    // A program of its own: nothing of a page's is shared with it.
    workers[path.basename(name, ".js")] = (await script(name)).name
  }
  return {
    icons: all(".svg").map((name) =>
      add(path.basename(name, ".svg"), ".svg", fs.readFileSync(path.join(STATIC, name)))),
    styles: all(".css").length ? [await style(all(".css"))] : [],
    script: code.name, preloads: code.imports, workers,
  }
}

/** @param {string} hash */
function isBuilt(hash) {
  try {
    return JSON.parse(fs.readFileSync(MANIFEST, "utf8")).sources === hash
  } catch {
    return false
  }
}

async function main() {
  const hash = sourcesHash()
  if (isBuilt(hash)) return
  /** @type {Record<string, object>} */
  const pages = {}
  for (const file of fs.readdirSync(path.join(STATIC, "pages")).sort()) {
    const markup = fs.readFileSync(path.join(STATIC, "pages", file), "utf8")
    const found = markup.match(/<!-- assets: ([^>]+?) -->/)
    if (!found) throw new Error(`pages/${file} needs one line <!-- assets: ... -->`)
    pages[path.basename(file, ".html")] = await head(found[1].split(/\s+/))
  }
  if (sourcesHash() !== hash) throw new Error("the sources changed meanwhile: build again")
  fs.rmSync(DIST, { recursive: true, force: true })
  fs.mkdirSync(DIST)
  for (const [name, content] of built) {
    fs.writeFileSync(path.join(DIST, name), content)
    fs.writeFileSync(path.join(DIST, `${name}.gz`), gzipSync(content, { level: 9 }))
    fs.writeFileSync(path.join(DIST, `${name}.br`), brotliCompressSync(content, {
      params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
    }))
  }
  // Last and at once: without it nothing of the folder is used.
  const text = JSON.stringify({ sources: hash, files: [...built.keys()].sort(), pages }, null, 1)
  fs.writeFileSync(`${MANIFEST}.new`, `${text}\n`)
  fs.renameSync(`${MANIFEST}.new`, MANIFEST)
}

try {
  await main()
} catch (error) {
  console.error(`pages: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
