/** With whom this person is in conversation, and the person themselves, as the server has them. */
import * as api from './api.js';
import * as session from './session.js';

export class People {
  /** @param {import('./client.js').Client} client */
  constructor(client) {
    this.client = client;
  }

  /** What was changed on another device. */
  async refreshMe() {
    const user = await api.get('/users/me').catch(() => null);
    const mine = session.find();
    if (!user || !mine || mine.user.id !== user.id) return;
    session.update(user);
    this.client.dispatch({ type: 'signedIn', me: { ...mine.user, ...user } });
  }

  async load() {
    try {
      const conversations = await api.get('/conversations');
      this.client.dispatch({ type: 'conversationsLoaded', conversations });
      this.keep();
    } catch (error) {
      this.client.report(error);
    }
  }

  /** For a page that is opened while the server is gone. */
  keep() {
    session.keepPeople(Object.values(this.client.state().conversations));
  }

  /** Shows what was kept, unless the list is there. */
  recall() {
    const known = !this.client.state().listLoaded && session.people();
    if (known) this.client.dispatch({ type: 'conversationsLoaded', conversations: known });
  }

  /**
   * @param {number} participantId
   * @returns {Promise<number|null>} the id of the conversation with that person
   */
  async begin(participantId) {
    try {
      const conversation = await api.call('POST', '/conversations', { participantId });
      this.client.dispatch({ type: 'conversationChanged', conversation });
      return conversation.id;
    } catch (error) {
      this.client.report(error);
      return null;
    }
  }
}
