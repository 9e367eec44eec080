/** The files of `web/`, as the tests look at them. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = dirname(fileURLToPath(import.meta.url));
export const web = join(here, '../../web');

/** @param {string} path below `web/` */
export const read = (path) => readFileSync(join(web, path), 'utf8');

/** Every file, by its path below `web/`. */
export const all = readdirSync(web, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(web, join(entry.parentPath, entry.name)));

/** The scripts that are ours. */
export const ours = all.filter((path) => path.endsWith('.js') && !path.startsWith('vendor/'));

/** The style sheets. */
export const styles = all.filter((path) => path.endsWith('.css'));

/** Every module that a module of ours names at once, by path. @param {string} path */
export const imports = (path) =>
  [...read(path).matchAll(/^import .* from '([^']+)';$/gm)].map(([, from]) =>
    from.startsWith('/') ? from.slice(1) : join(dirname(path), from),
  );
