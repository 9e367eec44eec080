/** The files of a message: pictures drawn in their place from the start, others as a named row. */
import { html, useEffect, useState } from '/vendor/preact-htm.js';
import { isPicture, isReadable, picture } from '../client/media.js';
import { addressesOf } from '../core/conversations.js';
import { fileSize } from '../core/format.js';
import { locale, t } from '../core/i18n.js';
import { Icon } from './hooks.js';

const PICTURE_MAX = { width: 360, height: 320 };

/**
 * @param {{files: any[], addresses: string[]|null, inner: number, on: any}}
 *   props stored files, or those of a message on its way (with their blob)
 */
export function Files({ files, addresses, inner, on }) {
  const elsewhere = addressesOf({ files, attachments: addresses });
  if (!files.length && !elsewhere.length) return null;
  const infos = files.map((file) =>
    file.blob ? { ...file, ...file.info, mimeType: file.info?.mimeType ?? file.type } : file,
  );
  const pictures = infos.filter((file) => isPicture(file.mimeType));
  return html`<div class="files">
    ${
      pictures.length > 0 &&
      html`<div class="pictures ${pictures.length > 1 ? 'many' : ''}">${pictures.map(
        (file) => html`
      <${Picture} key=${file.key ?? file.id} file=${file} single=${pictures.length === 1} inner=${inner}
        onShow=${on.show} />`,
      )}</div>`
    }
    ${infos.filter((file) => !isPicture(file.mimeType)).map((file) => html`
      <${FileRow} key=${file.key ?? file.id} file=${file} inner=${inner} onShow=${on.show} />`)}
    ${elsewhere.map((address) => html`<${Elsewhere} key=${address} address=${address} inner=${inner} />`)}
  </div>`;
}

/** @param {{file: any, single: boolean, inner: number, onShow: (file: any) => void}} props */
export function Picture({ file, single, inner, onShow }) {
  const source = usePicture(file);
  /** What the browser makes of it: turned as its camera was held, or of a size that nobody has told. */
  const [real, setReal] = useState(/** @type {{width: number, height: number}|null} */ (null));
  const shape = single ? sized(real ?? file) : null;
  const loaded = ({ target: { naturalWidth: width, naturalHeight: height } }) => {
    if (width && height && (width !== file.width || height !== file.height)) setReal({ width, height });
  };
  return html`
    <button class="picture" type="button" tabindex=${inner} aria-label=${t('file.open', { name: file.name })}
      onClick=${() => file.url && onShow(file)}
        style=${shape ? { width: `${shape.width}px`, aspectRatio: `${shape.width} / ${shape.height}` } : {}}>
    ${source && html`<img src=${source} alt="" decoding="async" draggable=${false} onLoad=${loaded} />`}</button>`;
}

/**
 * The address of a picture: of its blob while it is on its way, of its stored bytes later.
 * @param {any} file
 */
export function usePicture(file) {
  const [source, setSource] = useState(/** @type {string|null} */ (null));
  useEffect(() => {
    let wanted = true;
    if (file.blob) {
      const own = URL.createObjectURL(file.blob);
      setSource(own);
      return () => URL.revokeObjectURL(own);
    }
    // What was shown for another file is gone with it.
    setSource(null);
    if (!file.url) return undefined;
    picture(file.url).then(
      (address) => wanted && setSource(address),
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [file.url, file.blob]);
  return source;
}

/** The size that a picture takes before its bytes are there. @param {any} file */
function sized(file) {
  const { width, height } = file.width && file.height ? file : { width: 320, height: 240 };
  const scale = Math.min(1, PICTURE_MAX.width / width, PICTURE_MAX.height / height);
  return { width: Math.max(64, Math.round(width * scale)), height: Math.max(48, Math.round(height * scale)) };
}

/** Shows a PDF where the browser can, and saves the rest. @param {{file: any, inner?: number, onShow: any}} props */
export function FileRow({ file, inner = 0, onShow }) {
  const [busy, setBusy] = useState(false);
  const { name } = file;
  const shows = file.url && isReadable(file);
  const open = async () => {
    if (shows) return onShow(file);
    setBusy(true);
    // The row stays; another try is a click.
    await import('./download.js').then(({ download }) => download(file)).catch(() => {});
    setBusy(false);
  };
  return html`<button class="file-row" type="button" tabindex=${inner} disabled=${busy} onClick=${open}>
    <span class="spoken">${shows ? t('file.open', { name }) : t('file.download', { name })}</span>
    <span class="file-kind" aria-hidden="true">${ending(name)}</span>
    <span class="file-what"><span class="ellipsis" dir="auto" aria-hidden="true">${name}</span>
      <span class="file-size" aria-hidden="true">${fileSize(file.size ?? 0, locale())}</span></span>
        <${Icon} name=${shows ? 'search' : 'download'} /></button>`;
}

/** A file that lies somewhere else, as its sender says. @param {{address: string, inner: number}} props */
function Elsewhere({ address, inner }) {
  if (!/^https?:\/\//i.test(address)) return null;
  return html`
    <a class="file-row" href=${address} target="_blank" rel="noopener noreferrer nofollow" tabindex=${inner}>
      <span class="file-kind" aria-hidden="true"><${Icon} name="link" /></span>
    <span class="file-what"><span class="ellipsis" dir="ltr">${address}</span></span></a>`;
}

/** @param {string} name */
function ending(name) {
  const match = /\.([a-z0-9]{1,4})$/i.exec(name);
  return match ? match[1].toUpperCase() : '—';
}
