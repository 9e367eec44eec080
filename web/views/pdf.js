/** A PDF in a frame of the page, drawn by the browser's own viewer. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { pdfAddress } from '../client/conversation_files.js';
import { t } from '../core/i18n.js';

/**
 * What the frame may do where its viewer works inside a sandbox: Firefox's. Those of Chromium and WebKit show nothing
 * in one; they draw in a process of their own that has no way to the page.
 */
const SANDBOX = CSS.supports('-moz-orient', 'inline') ? 'allow-scripts allow-downloads allow-modals' : undefined;

/** @param {{file: any}} props */
export function Pdf({ file }) {
  const [source, setSource] = useState('');
  const [fault, setFault] = useState('');
  useEffect(() => {
    const aborter = new AbortController();
    let address = '';
    pdfAddress(file.url, aborter.signal).then(
      (made) => {
        address = made;
        if (aborter.signal.aborted) URL.revokeObjectURL(made);
        else setSource(made);
      },
      (error) => aborter.signal.aborted || setFault(error.message),
    );
    return () => {
      aborter.abort();
      URL.revokeObjectURL(address);
    };
  }, []);
  if (fault) return html`<div class="lightbox-stage"><p role="alert">${fault}</p></div>`;
  if (!source) return html`<div class="lightbox-stage" aria-busy="true"><p>${t('lightbox.loading')}</p></div>`;
  const shown = `${source}#view=FitH&navpanes=0`;
  return html`<iframe class="lightbox-pdf" sandbox=${SANDBOX} src=${shown} title=${file.name}></iframe>`;
}
