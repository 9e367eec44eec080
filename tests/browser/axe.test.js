/** axe finds nothing: every screen × two languages × two themes × three widths in Chromium, every screen in Firefox. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { CHOSEN, Person, launch } from './person.js';
import { SCENES, furnish, settle } from './scenes.js';
import { Server } from './server.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** WCAG 2.5.3, which no tag turns on: who speaks to the page says what stands on a button. */
const RULES = { 'label-content-name-mismatch': { enabled: true } };

/** All of them in one browser: axe judges the document. In the other one each screen once, for what the two make of it differently. */
const LOOKS = {
  chromium: { widths: [360, 800, 1280], themes: ['light', 'dark'], locales: ['fr', 'en'] },
  firefox: { widths: [1280], themes: ['light'], locales: ['fr'] },
};
/** What is on its way from one place or colour to another is neither. */
const STILL = { extraPrefsFirefox: { 'ui.prefersReducedMotion': 1 }, args: ['--force-prefers-reduced-motion'] };

/** What is wrong with the page as it is now. @param {Person} person @returns {Promise<string[]>} */
async function faultsOf({ page }) {
  await page.evaluate(`if (!window.axe) { ${axe} }`);
  return page.evaluate(async (tags, rules) => {
    const { violations } = await window.axe.run(document, { runOnly: tags, rules, resultTypes: ['violations'] });
    const faults = violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
    for (const bubble of document.querySelectorAll('.bubble')) {
      const { left, right } = bubble.getBoundingClientRect();
      const reaches = [...bubble.querySelectorAll('*')].some((one) => {
        const box = one.getBoundingClientRect();
        return box.width > 1 && (box.right > right + 1 || box.left < left - 1);
      });
      if (reaches) faults.push(`something reaches out of the bubble “${bubble.textContent.slice(0, 60)}”`);
    }
    if (document.documentElement.scrollWidth > innerWidth) faults.push('the page scrolls sideways');
    return faults;
  }, TAGS, RULES);
}

for (const name of CHOSEN) describe(`axe in ${name}`, { concurrency: 1 }, () => {
  const { widths, themes, locales } = LOOKS[name];
  let launched, server, world;
  before(async () => {
    launched = await launch(name, STILL);
    server = await Server.start();
    world = await furnish(server);
  });
  after(async () => {
    await launched.close();
    await server.stop();
  });

  for (const as of ['nobody', 'newcomer', 'client', 'juriste', 'admin']) {
    test(as, async () => {
      const faults = [];
      let looked = 0;
      for (const locale of locales) {
        const person = await Person.in(launched);
        await settle(person, server, as, locale, 'light');
        for (const scene of SCENES.filter((one) => one.as === as)) {
          await person.page.setViewport({ width: 1280, height: 800 });
          await person.visit(server.url + scene.path(world));
          await scene.arrive?.(person, world);
          for (const theme of themes) {
            await person.page.evaluate((look) => { document.documentElement.dataset.theme = look; }, theme);
            for (const width of widths) {
              await person.page.setViewport({ width, height: 800 });
              for (const fault of await faultsOf(person)) faults.push(`${scene.name} ${locale} ${theme} ${width}: ${fault}`);
              looked += 1;
            }
          }
        }
        await person.close();
      }
      console.log(`axe: ${name}: ${as}: ${looked} looks`);
      assert.deepEqual(faults, []);
    });
  }
});
