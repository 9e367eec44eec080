/** The people one may write to, and inviting somebody who is not here yet. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { fullMoment } from '../core/format.js';
import { locale, t, tn } from '../core/i18n.js';
import * as api from '../client/api.js';
import { settings } from '../client/notices.js';
import { Choice } from './choice.js';
import { Dialog } from './dialog.js';
import { Icon, useDebounced } from './hooks.js';
import { Avatar, roleOf } from './person.js';

const SHOWN_MAX = 50;

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State}} props */
export function Directory({ app, state }) {
  const [people, setPeople] = useState(/** @type {any[]|null} */ (null));
  const [query, setQuery] = useState('');
  useDebounced(
    async (isCurrent) => {
      const found = await api.get(`/users?limit=${SHOWN_MAX}&q=${encodeURIComponent(query)}`).catch(app.client?.report);
      if (found && isCurrent()) setPeople(found);
    },
    [query],
  );
  /** @param {number} id */
  const choose = async (id) => {
    const conversation = await app.client?.people.begin(id);
    if (conversation) app.go({ name: 'conversation', id: conversation, messageId: null });
  };
  return html`
    <${Dialog} title=${t('list.new')} kind="tall" onClose=${app.closeDialog}>
      <label class="field"><span>${t('directory.search')}</span>
        <input type="search" data-first value=${query} onInput=${(e) => setQuery(e.target.value)} /></label>
      <ul class="rows dialog-rows">
        ${people?.map(
          (person) => html`<li key=${person.id}><button class="row" type="button" onClick=${() => choose(person.id)}>
          <${Avatar} person=${person} /><span class="row-body"><span class="row-name ellipsis" dir="auto">
            ${person.name}</span><span class="row-role ellipsis">${roleOf(person)}</span></span></button></li>`,
        )}
      </ul>
      <p class="quiet" role="status">${people && counted(people.length)}</p>
      ${state.me?.role === 'juriste'
        && html`<p class="dialog-ways">
          <button class="button" type="button" onClick=${() => app.open('invite', { roles: ['client'] })}>
            <${Icon} name="plus" />${t('invite.client')}</button></p>`}
    </${Dialog}>`;
}

/** How many are shown, and whether there may be more. @param {number} count */
function counted(count) {
  if (!count) return t('directory.none');
  return count < SHOWN_MAX ? tn('directory.count', count) : t('directory.first', { n: SHOWN_MAX });
}

/**
 * Makes an invitation and shows its address once.
 * @param {{app: import('../app/create.js').App, data: {roles: string[]}}} props
 */
export function Invite({ app, data }) {
  const [role, setRole] = useState(data.roles[0]);
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [made, setMade] = useState(/** @type {any} */ (null));
  const [mails, setMails] = useState(false);
  const [send, setSend] = useState(true);
  const isMailed = mails && send && email.trim() !== '';
  useEffect(() => {
    settings().then(({ available }) => setMails(available.email), () => {});
  }, []);
  const [fault, setFault] = useState('');
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    setFault('');
    try {
      setMade(
        await api.call('POST', '/invitations', {
          role,
          ...(name.trim() && { name: name.trim() }),
          ...(email.trim() && { email: email.trim() }),
          ...(isMailed && { send: true }),
        }),
      );
      document.dispatchEvent(new CustomEvent('lexchat:invited'));
    } catch (error) {
      const refusal = /** @type {api.Refusal} */ (error);
      setFault(refusal.details?.[0]?.message ?? refusal.message);
    }
  };
  const names = /** @type {Record<string, string>} */ ({
    client: t('role.client'),
    juriste: t('role.juriste'),
    admin: t('role.admin'),
  });
  return html`
    <${Dialog} title=${t('invite.title')} onClose=${app.closeDialog}>
      ${made ? html`
        ${isMailed && html`<p role="status">${t('invite.sent', { email: email.trim() })}</p>`}
        <${Made} app=${app} made=${made} />` : html`
      <form class="form" onSubmit=${submit} novalidate>
        ${fault && html`<p class="fault" role="alert">${fault}</p>`}
        ${data.roles.length > 1 && html`
          <${Choice} text=${t('field.role')} value=${role} choices=${data.roles.map((one) => [one, names[one]])}
            onChoose=${setRole} />`}
        <label class="field"><span>${t('invite.name')}</span>
          <input data-first value=${name} onInput=${(e) => setName(e.target.value)} /></label>
        <label class="field"><span>${t('invite.email')}</span>
          <input type="email" value=${email} onInput=${(e) => setEmail(e.target.value)} /></label>
        ${mails && email.trim() && html`<label class="check">
          <input type="checkbox" checked=${send} onChange=${(e) => setSend(e.target.checked)} />
          <span>${t('invite.send')}</span></label>`}
        <p class="dialog-ways"><button class="button primary" type="submit">
          ${isMailed ? t('invite.submitSend') : t('invite.submit')}</button></p></form>`}
    </${Dialog}>`;
}

/** The address of an invitation, shown once. @param {{app: import('../app/create.js').App, made: any}} props */
function Made({ app, made }) {
  return html`<p>${t('invite.made', { when: fullMoment(made.expiresAt, locale()) })}</p>
    <label class="field"><span>${t('invite.address')}</span>
      <input readonly value=${made.url} onFocus=${(e) => e.target.select()} /></label>
    <p class="dialog-ways"><button class="button primary" type="button" onClick=${() => app.copy(made.url)}>
      <${Icon} name="copy" />${t('message.copyLink')}</button></p>`;
}
