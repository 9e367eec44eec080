/** What each event of the socket changes. */
import { countOfFiles } from '../core/conversations.js';
import { t, tn } from '../core/i18n.js';

/**
 * @param {import('./client.js').Client} client
 * @returns {Record<string, (data: any) => void>} by the event's name
 */
export function eventsOf(client) {
  const { listener, me, store, timelines, people } = client;
  const dispatch = (event) => store.dispatch(event);
  const changed = ({ message }) => timelines.inOrder(message, { type: 'messageChanged', message });
  const online = (isOnline) => ({ userId, timestamp }) =>
    dispatch({ type: 'presenceChanged', userId, isOnline, at: timestamp });
  return {
    'message:new': ({ message }) => {
      timelines.inOrder(message, { type: 'messageReceived', message });
      client.outbox.arrived(message);
      const { conversationId, id, senderId, content } = message;
      if (senderId === me.id) return;
      const text = content || tn('file.count', countOfFiles(message));
      listener.onMessage?.({ conversationId, messageId: id, senderId, text });
    },
    'message:edited': changed,
    'message:deleted': changed,
    'message:reaction': (data) => timelines.inOrder(data, { ...data, type: 'reactionsChanged' }),
    'message:read:ack': ({ messageId, conversationId, readBy, timestamp }) =>
      dispatch({ type: 'readMarked', conversationId, messageId, userId: readBy, at: timestamp }),
    'user:typing': (data) => client.typing.show(data),
    'user:online': online(true),
    'user:offline': online(false),
    'conversation:new': ({ conversation }) => {
      dispatch({ type: 'conversationChanged', conversation });
      people.keep();
    },
    'conversation:updated': ({ conversation }) => dispatch({ type: 'conversationChanged', conversation }),
    notification: (data) => {
      const { conversationId, messageId, senderId, senderName, preview } = data;
      dispatch({ ...data, type: 'notified' });
      // How many files there are is told with the conversation.
      if (!preview || !client.state().conversations[conversationId]) people.load();
      const text = preview || t('announce.files');
      listener.onMessage?.({ conversationId, messageId, senderId, senderName, text });
    },
  };
}
