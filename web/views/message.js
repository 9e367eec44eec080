/** One message, or one on its way: text, files, reactions, and what is known about its fate. */
import { html } from '/vendor/preact-htm.js';
import { fullMoment, timeOfDay } from '../core/format.js';
import { gist, readMoment, spoken } from './wording.js';
import { locale, t } from '../core/i18n.js';
import { Files } from './files.js';
import { Icon, memo } from './hooks.js';
import { KINDS } from './kinds.js';
import { lazy } from './lazy.js';
import { Text } from './text.js';

/** How long a message may wait before one is told, and offered a way out. */
const LATE_MS = 2_000;
const entryWays = () => import('./entry_ways.js');
const Failed = lazy(entryWays, 'Failed');
const Waiting = lazy(entryWays, 'Waiting', LATE_MS);

/** @param {(string|false|null|undefined)[]} names */
const classes = (...names) => names.filter(Boolean).join(' ');

export const MessageRow = memo((props) => {
  const { rowKey, message, starts, ends, own, author, flash, editing, tab, inner, tools, on, myId, peer } = props;
  const kind = classes('message', own ? 'own' : 'peer', starts && 'starts', ends && 'ends', flash && 'flash');
  return html`
    <article class=${classes(kind, editing && 'editing')} data-key=${rowKey} data-id=${message.id}
      tabindex=${tab ? 0 : -1} aria-label=${spoken(props)}>
      ${starts && html`<${By} name=${author.name} at=${message.createdAt} />`}
      <div class="bubble-line">
        <div class=${classes('bubble', message.files?.length && 'with-files', message.editedAt && 'changed')}>
          <div class="content"><${Content} ...${props} /></div><${Foot} ...${props} />
        </div>
        ${tools && !message.isDeleted && html`<${Tools} message=${message} few=${tools === 'few'} on=${on} />`}
      </div>
      ${message.reactions?.length > 0 && html`
        <${Reactions} message=${message} myId=${myId} peer=${peer} inner=${inner} on=${on} />`}
      ${props.receipt && html`<p class="receipt">${readMoment(message)}</p>`}
    </article>`;
});

/** Who and when, for paper. @param {{name: string, at: string}} props */
function By({ name, at }) {
  return html`<p class="by" aria-hidden="true"><bdi>${name}</bdi> · ${fullMoment(at, locale())}</p>`;
}

/** What a message says, drawn as its kind asks. @param {any} props */
function Content(props) {
  const { rowKey, message, quote, peer, inner, unfolded, on, myId } = props;
  const { content, files, attachments, replyToId, isDeleted } = message;
  if (isDeleted) return html`<p class="text gone">${t('message.deleted')}</p>`;
  const Kind = KINDS[message.kind];
  return html`
    ${replyToId && html`<${Quote} quote=${quote} replyToId=${replyToId} myId=${myId} peer=${peer} inner=${inner}
      on=${on} />`}
    ${Kind ? html`<${Kind} ...${props} />` : html`
      <${Files} files=${files} addresses=${attachments} inner=${inner} on=${on} />
      <${Text} text=${content} unfolded=${unfolded} inner=${inner} onUnfold=${() => on.unfold(rowKey)} />`}`;
}

/** When it was said, whether it was changed, and what became of it. @param {any} props */
function Foot({ message, own, ends, fate, inner, on }) {
  const { createdAt, editedAt, isDeleted } = message;
  const edited = editedAt && !isDeleted;
  const stale = fate === 'stale';
  return html`
    <p class="foot">
      ${edited && html`<button class="edited" type="button" tabindex=${inner} onClick=${() => on.info(message)}>
        ${stale && !own ? t('message.editedSince') : t('message.edited')}</button>`}
      ${stale && own && html`<span class="stale">${t('fate.stale')}</span>`}
      ${ends && html`<${Time} at=${createdAt} />`}
      ${own && !isDeleted && html`<${Ticks} read=${fate === 'read'} />`}</p>`;
}

/** @param {{at: string}} props */
const Time = ({ at }) =>
  html`<time datetime=${at} title=${fullMoment(at, locale())}>${timeOfDay(at, locale())}</time>`;

/** Whether the other members have read it, told by shape and word. @param {{read: boolean}} props */
const Ticks = ({ read }) => html`<span class=${classes('fate', read && 'read')}>
  <${Icon} name=${read ? 'checks' : 'check'} label=${read ? t('fate.read') : t('fate.sent')} /></span>`;

/** @param {any} props */
function Tools({ message, few, on }) {
  /** @type {[any, string, (event: any) => void][]} */
  const all = /** @type {any} */ ([
    ['smile', t('message.react'), (event) => on.react(message, event.currentTarget)],
    !few && ['reply', t('message.reply'), () => on.reply(message)],
    ['more', t('message.more'), (event) => on.menu(message, event.currentTarget)],
  ].filter(Boolean));
  return html`<div class="tools">${all.map(([icon, label, act]) => html`
    <button key=${icon} class="icon-button tip" type="button" tabindex="-1" aria-label=${label} data-tip=${label}
      onClick=${act}><${Icon} name=${icon} /></button>`)}</div>`;
}

/** What a message answers: one line that leads there. @param {any} props */
function Quote({ quote, replyToId, myId, peer, inner, on }) {
  const name = !quote ? '' : quote.senderId === myId ? t('person.you') : peer.name;
  return html`<button class="quote" type="button" tabindex=${inner} onClick=${() => on.jump(replyToId)}>
    <span class="quote-name">${name}</span><span class="ellipsis" dir="auto">${gist(quote, myId)}</span></button>`;
}

/** @param {any} props */
function Reactions({ message, myId, peer, inner, on }) {
  const nameOf = (id) => (id === myId ? t('person.you') : id === peer.id ? peer.name : '…');
  return html`<div class="reactions">${message.reactions.map(({ emoji, userIds }) => {
    const who = userIds.map(nameOf).join(', ');
    return html`
      <button key=${emoji} class="reaction" type="button" tabindex=${inner} title=${who}
        aria-pressed=${userIds.includes(myId) ? 'true' : 'false'} aria-label=${t('reaction.by', { emoji, who })}
        onClick=${() => on.toggle(message, emoji)}>
        <span aria-hidden="true">${emoji}</span>${userIds.length > 1 && html`<span>${userIds.length}</span>`}</button>`;
  })}</div>`;
}

/** A message on its way, or one that was not accepted. */
export const EntryRow = memo((props) => {
  const { rowKey, entry, starts, ends, quote, peer, myId, tab, inner, unfolded, author, on } = props;
  const { clientMessageId, createdAt, content, files, replyToId, stage } = entry;
  const failed = stage === 'failed';
  const fate = failed ? t('fate.failed') : t('fate.waiting');
  return html`
    <article class=${classes('message own', starts && 'starts', ends && 'ends', stage)} data-key=${clientMessageId}
      tabindex=${tab ? 0 : -1} aria-label=${spoken(props)}>
      ${starts && html`<${By} name=${author.name} at=${createdAt} />`}
      <div class="bubble-line"><div class=${classes('bubble', files.length && 'with-files')}>
        <div class="content">
          ${replyToId && html`<${Quote} quote=${quote} replyToId=${replyToId} myId=${myId} peer=${peer}
            inner=${inner} on=${on} />`}
          <${Files} files=${files} addresses=${null} inner=${inner} on=${on} />
          <${Text} text=${content} unfolded=${unfolded} inner=${inner} onUnfold=${() => on.unfold(rowKey)} /></div>
        <p class="foot">${ends && html`<${Time} at=${createdAt} />`}
          <span class="fate"><${Icon} name=${failed ? 'warn' : 'clock'} label=${fate} /></span></p>
      </div></div>
      <${failed ? Failed : Waiting} entry=${entry} on=${on} />
    </article>`;
});
