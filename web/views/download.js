/** Saving a file under its name. */
import { link } from '../client/conversation_files.js';

/** @param {{id?: number, name: string, blob?: Blob}} file stored, or on its way */
export async function download(file) {
  const anchor = document.createElement('a');
  anchor.href = file.blob ? URL.createObjectURL(file.blob) : await link(Number(file.id));
  anchor.download = file.name;
  anchor.click();
}
