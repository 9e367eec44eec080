/** When the session has ended: signing in again over the page, which stays as it is. */
import { html } from '/vendor/preact-htm.js';
import { t } from '../core/i18n.js';
import { Dialog } from './dialog.js';
import { SignIn } from './gate.js';

/** @param {{app: import('../app/create.js').App, state: import('../core/state.js').State}} props */
export function SignedOut({ app, state }) {
  return html`
    <${Dialog} title=${t('signIn.again')}><p>${t('signIn.againText')}</p>
      <${SignIn} app=${app} demo=${state.demo} email=${state.me?.email} />
      <p class="quiet"><button class="link" type="button" onClick=${() => app.leave()}>${t('signOut')}</button></p>
    </${Dialog}>`;
}
