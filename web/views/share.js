/** What another app has shared: to whom it goes. It is a draft then, and sent by the person. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { listed, peerOf } from '../core/conversations.js';
import { t, tn } from '../core/i18n.js';
import { Back } from './hooks.js';
import { Avatar, roleOf } from './person.js';

/** Where the service worker has put it. */
const KEPT = 'shared-lexchat';

/** @returns {Promise<{text: string, files: File[]}>} */
async function waiting() {
  const cache = await caches.open(KEPT);
  const files = [];
  let text = '';
  for (const { url } of await cache.keys()) {
    const answer = await cache.match(url);
    const [, name] = /^\/partage\/\d+\/(.*)$/.exec(new URL(url).pathname) ?? [];
    if (!answer) continue;
    if (name === undefined) text = await answer.text();
    else files.push(await fileOf(answer, decodeURIComponent(name)));
  }
  return { text, files };
}

/**
 * @param {Response} answer
 * @param {string} name
 */
async function fileOf(answer, name) {
  const blob = await answer.blob();
  return new File([blob], name, { type: blob.type });
}

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State}} props */
export function Share({ app, state }) {
  const [shared, setShared] = useState(/** @type {{text: string, files: File[]}|null} */ (null));
  useEffect(() => {
    waiting().catch(() => ({ text: '', files: [] })).then(setShared);
  }, []);
  if (!shared) return html`<div class="empty" aria-busy="true"></div>`;
  const { text, files } = shared;
  const isEmpty = !text && !files.length;
  const me = /** @type {any} */ (state.me);
  /** @param {number} id */
  const give = async (id) => {
    const drafts = /** @type {any} */ (app.client).drafts;
    const before = drafts.find(id).text;
    if (text) drafts.set(id, { text: [before, text].filter(Boolean).join('\n') });
    const fault = files.length ? drafts.stage(id, files) : null;
    if (fault) app.client?.refuse(fault[0], fault[1]);
    await caches.delete(KEPT);
    app.go({ name: 'conversation', id, messageId: null }, { replace: true });
  };
  const open = listed(state, 'all').filter((one) => one.isActive !== false);
  return html`
    <section class="pane" aria-label=${t('share.title')}><div class="pane-body">
      <header class="pane-head"><${Back} /><h1>${t('share.title')}</h1></header>
      <p class="quiet" dir="auto">${isEmpty ? t('share.nothing') : [text.slice(0, 200),
        files.length > 0 && tn('file.count', files.length)].filter(Boolean).join(' · ')}</p>
      ${!isEmpty && html`<ul class="rows">${open.map((one) => {
        const peer = peerOf(one, me.id);
        return html`<li key=${one.id}><button class="row" type="button" onClick=${() => give(one.id)}>
          <${Avatar} person=${peer} /><span class="row-body">
            <span class="row-name ellipsis" dir="auto">${peer.name}</span>
            <span class="row-role ellipsis">${roleOf(peer)}</span></span></button></li>`;
      })}</ul>`}
    </div></section>`;
}
