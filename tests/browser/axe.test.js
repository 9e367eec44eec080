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

/** All of them in one browser: axe judges the document. In the other one each screen once, for what the two make of it differently. */
const LOOKS = {
  chromium: { widths: [360, 800, 1280], ways: [['fr', 'light'], ['fr', 'dark'], ['en', 'light'], ['en', 'dark']] },
  firefox: { widths: [1280], ways: [['fr', 'light']] },
};

for (const name of CHOSEN) describe(`axe in ${name}`, { concurrency: 1 }, () => {
  const { widths, ways } = LOOKS[name];
  let launched, server, world;
  before(async () => {
    launched = await launch(name);
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
      for (const [locale, theme] of ways) {
        const person = await Person.in(launched);
        await settle(person, server, as, locale, theme);
        for (const scene of SCENES.filter((one) => one.as === as)) {
          await person.page.setViewport({ width: 1280, height: 800 });
          await person.visit(server.url + scene.path(world));
          await scene.arrive?.(person, world);
          for (const width of widths) {
            await person.page.setViewport({ width, height: 800 });
            await person.page.evaluate(`if (!window.axe) { ${axe} }`);
            const found = await person.page.evaluate(async (tags) => {
              const result = await window.axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
              return result.violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
            }, TAGS);
            looked += 1;
            const outside = await person.page.evaluate(() => [...document.querySelectorAll('.bubble')].filter((bubble) => {
              const { left, right } = bubble.getBoundingClientRect();
              return [...bubble.querySelectorAll('*')].some((one) => {
                const box = one.getBoundingClientRect();
                return box.width > 1 && (box.right > right + 1 || box.left < left - 1);
              });
            }).map((bubble) => bubble.textContent.slice(0, 60)));
            const narrow = await person.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
            for (const fault of found) faults.push(`${scene.name} ${locale} ${theme} ${width}: ${fault}`);
            for (const text of outside) faults.push(`${scene.name} ${locale} ${theme} ${width}: something reaches out of the bubble “${text}”`);
            if (narrow) faults.push(`${scene.name} ${locale} ${theme} ${width}: the page scrolls sideways`);
          }
        }
        await person.close();
      }
      console.log(`axe: ${name}: ${as}: ${looked} looks`);
      assert.deepEqual(faults, []);
    });
  }
});
