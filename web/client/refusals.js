/** Why something stays where it is. Seldom said, so it is fetched, with its texts, when it is. */
import { fileSize } from '../core/format.js';
import { loadTexts, locale, t } from '../core/i18n.js';

/** @param {number} n */
const number = (n) => n.toLocaleString(locale());

/** @type {Record<string, (values: any) => string>} */
const SAID = {
  tooLong: ({ n, max }) => t('composer.tooLong', { n: number(n), max: number(max) }),
  fileRefused: (values) => t('composer.fileRefused', values),
  emptyEdit: () => t('composer.emptyEdit'),
  noFilesInEdit: () => t('composer.noFilesInEdit'),
  tooMany: (values) => t('file.tooMany', values),
  tooLarge: ({ bytes }) => t('file.tooLarge', { size: fileSize(bytes, locale()) }),
  empty: () => t('file.empty'),
  folder: () => t('file.folder'),
  messageGone: () => t('timeline.messageGone'),
};

/**
 * @param {string} why
 * @param {any} [values]
 * @returns {Promise<string>}
 */
export async function textOf(why, values) {
  await loadTexts();
  return SAID[why](values);
}
