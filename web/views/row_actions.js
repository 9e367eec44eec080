/** What the rows of a timeline may ask for. */

/**
 * Made once for a timeline: a row is drawn again only when its message changes.
 * @param {import('./timeline.js').Timeline} timeline
 * @returns {Record<string, (...given: any[]) => any>}
 */
export function actionsOf(timeline) {
  const app = () => timeline.props.app;
  const client = () => timeline.props.app.client;
  const id = () => timeline.props.conversation.id;
  return {
    app,
    react: (message, by) => openAt(timeline, 'react', message, by),
    menu: (message, by) => openAt(timeline, 'menu', message, by),
    info: (message) => app().open('info', { conversationId: id(), messageId: message.id }),
    remove: (message) => app().open('remove', { messageId: message.id }),
    edit: (message) => client().sending.beginEdit(id(), message),
    copy: (message) => app().copy(message.content),
    reply: (message) => client().drafts.answer(id(), message.id, selectedIn(timeline, message)),
    readAll: () => client().marks.all(id()),
    toggle: (message, emoji) => client().changes.react(message, emoji),
    jump: (messageId) => client().timelines.showMessage(id(), messageId),
    show: ({ id: fileId, url, name, mimeType }) =>
      app().open('lightbox', { conversationId: id(), file: { id: fileId, url, name, mimeType } }),
    unfold: (key) => timeline.setState({ unfolded: new Set([...timeline.state.unfolded, key]) }),
    retry: (entry) => client().outbox.retry(entry.clientMessageId),
    reword: (entry) => client().sending.reword(entry.clientMessageId),
    discard: (entry) => client().outbox.discard(entry.clientMessageId),
  };
}

/**
 * What is selected of a message's text, to be quoted.
 * @param {import('./timeline.js').Timeline} timeline
 * @param {any} message
 */
function selectedIn(timeline, message) {
  const selection = getSelection();
  const text = timeline.scroll.rowOf(message.id)?.querySelector('.text');
  const isInside = selection && text?.contains(selection.anchorNode) && text.contains(selection.focusNode);
  return isInside ? selection.toString() : '';
}

/**
 * Opens a dialog beside what was pressed.
 * @param {import('./timeline.js').Timeline} timeline
 * @param {string} name
 * @param {any} message
 * @param {HTMLElement} by
 */
function openAt(timeline, name, message, by) {
  const { left, bottom } = by.getBoundingClientRect();
  const { app, conversation } = timeline.props;
  app.open(name, { conversationId: conversation.id, messageId: message.id, x: left, y: bottom + 4 });
}
