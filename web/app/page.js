/** Which screen the address and the person signed in make. */
import { html, useEffect, useReducer } from '/vendor/preact-htm.js';
import { Gate } from '../views/gate.js';
import { useStore } from '../views/hooks.js';
import { Shell } from '../views/shell.js';

/** @param {{app: import('./create.js').App}} props */
export function Page({ app }) {
  const state = useStore(app.store);
  const [, redraw] = useReducer((n) => n + 1, 0);
  useEffect(() => {
    app.redraw = () => redraw(null);
    const followed = () => app.follow();
    addEventListener('popstate', followed);
    return () => removeEventListener('popstate', followed);
  }, []);
  const isOutside = !app.client || !state.me || (state.needsSignIn && !state.listLoaded);
  return html`<${isOutside ? Gate : Shell} app=${app} state=${state} route=${app.route()} />`;
}
