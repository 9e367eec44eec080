/** The people one may write to, and inviting somebody who is not here yet. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { fullMoment } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import * as api from '../client/api.js';
import { Dialog } from './dialog.js';
import { Icon } from './hooks.js';
import { Avatar, roleOf } from './person.js';

const DEBOUNCE_MS = 200;

/** @param {{app: import('../app.js').App, state: import('../core/state.js').State}} props */
export function Directory({ app, state }) {
  const [people, setPeople] = useState(/** @type {any[]|null} */ (null));
  const [query, setQuery] = useState('');
  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(() => {
      api.get(`/users?limit=50&q=${encodeURIComponent(query)}`).then((found) => wanted && setPeople(found), app.client?.report);
    }, query ? DEBOUNCE_MS : 0);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [query]);
  /** @param {number} id */
  const choose = async (id) => {
    const conversation = await app.client?.startConversation(id);
    if (conversation) app.go({ name: 'conversation', id: conversation, messageId: null });
  };
  return html`
    <${Dialog} title=${t('list.new')} kind="tall" onClose=${app.closeDialog}>
      <label class="field"><span>${t('directory.search')}</span><input type="search" data-first value=${query} onInput=${(e) => setQuery(e.target.value)} /></label>
      <ul class="rows dialog-rows">
        ${people?.map((person) => html`<li key=${person.id}><button class="row" type="button" onClick=${() => choose(person.id)}>
          <${Avatar} person=${person} /><span class="row-body"><span class="row-name ellipsis" dir="auto">${person.name}</span><span class="row-role ellipsis">${roleOf(person)}</span></span></button></li>`)}
      </ul>
      ${people && !people.length && html`<p class="quiet">${t('directory.none')}</p>`}
      ${state.me?.role === 'juriste' && html`<p class="dialog-ways"><button class="button" type="button" onClick=${() => app.open('invite', { roles: ['client'] })}><${Icon} name="plus" />${t('invite.client')}</button></p>`}
    </${Dialog}>`;
}

/** Makes an invitation and shows its address once. @param {{app: import('../app.js').App, data: {roles: string[]}}} props */
export function Invite({ app, data }) {
  const [role, setRole] = useState(data.roles[0]);
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [made, setMade] = useState(/** @type {any} */ (null));
  const [fault, setFault] = useState('');
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    setFault('');
    try {
      setMade(await api.call('POST', '/invitations', { role, ...(name.trim() && { name: name.trim() }), ...(email.trim() && { email: email.trim() }) }));
      document.dispatchEvent(new CustomEvent('lexchat:invited'));
    } catch (error) {
      const refusal = /** @type {api.Refusal} */ (error);
      setFault(refusal.details?.[0]?.message ?? refusal.message);
    }
  };
  const names = /** @type {Record<string, string>} */ ({ client: t('role.client'), juriste: t('role.juriste'), admin: t('role.admin') });
  return html`
    <${Dialog} title=${t('invite.title')} onClose=${app.closeDialog}>
      ${made ? html`<p>${t('invite.made', { when: fullMoment(made.expiresAt, locale()) })}</p>
        <label class="field"><span>${t('invite.address')}</span><input readonly value=${made.url} onFocus=${(e) => e.target.select()} /></label>
        <p class="dialog-ways"><button class="button primary" type="button" onClick=${() => app.copy(made.url)}><${Icon} name="copy" />${t('message.copyLink')}</button></p>`
    : html`<form class="form" onSubmit=${submit} novalidate>
        ${fault && html`<p class="fault" role="alert">${fault}</p>`}
        ${data.roles.length > 1 && html`<label class="field"><span>${t('field.role')}</span><select value=${role} onChange=${(e) => setRole(e.target.value)}>${data.roles.map((one) => html`<option key=${one} value=${one}>${names[one]}</option>`)}</select></label>`}
        <label class="field"><span>${t('invite.name')}</span><input data-first value=${name} onInput=${(e) => setName(e.target.value)} /></label>
        <label class="field"><span>${t('invite.email')}</span><input type="email" value=${email} onInput=${(e) => setEmail(e.target.value)} /></label>
        <p class="dialog-ways"><button class="button primary" type="submit">${t('invite.submit')}</button></p></form>`}
    </${Dialog}>`;
}
