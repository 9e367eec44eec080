/** What the page uses of the vendored Socket.IO client. */
export function io(address: string, options: object): any;
