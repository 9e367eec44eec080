// A page as it was written for the system that the seed document describes; nothing in it knows this server.
// `show(line)` stands for appending to the page's log.

export function page(io, url, token, show) {
  const socket = io(url, { query: { token } });

  socket.on('connect', () => show('✅ Connecté'));
  socket.on('disconnect', () => show('❌ Déconnecté'));
  socket.on('connect_error', (error) => show('⚠️ ' + error.message));

  socket.on('message:new', (data) => {
    show('💬 [' + data.message.senderId + '] ' + data.message.content);
    socket.emit('message:read', { messageId: data.message.id });
  });
  socket.on('user:typing', (data) => show(data.isTyping ? '✍️ ' + data.userId + ' écrit...' : '✍️ ' + data.userId + ' a fini'));
  socket.on('user:online', (data) => show('🟢 ' + data.userId));
  socket.on('user:offline', (data) => show('⚫ ' + data.userId));
  socket.on('message:read:ack', (data) => show('✅ ' + data.readBy + ' a lu ' + data.messageId));
  socket.on('exception', (data) => show('⚠️ ' + data.message));

  return {
    joinConversation(conversationId) {
      socket.emit('conversation:join', { conversationId: parseInt(conversationId) }, (response) => {
        if (response.success) show('🚪 ' + response.message);
        else show('⚠️ ' + response.error);
      });
    },
    leaveConversation(conversationId) {
      socket.emit('conversation:leave', { conversationId: parseInt(conversationId) }, (response) => {
        if (response.success) show('👋 ' + response.message);
      });
    },
    sendMessage(conversationId, content) {
      socket.emit('message:send', { conversationId: parseInt(conversationId), content: content }, (response) => {
        if (response.success) show('📤 Message envoyé');
        else show('⚠️ ' + response.error);
      });
    },
    setTyping(conversationId, isTyping) {
      socket.emit('message:typing', { conversationId: parseInt(conversationId), isTyping: isTyping });
    },
    close() {
      socket.disconnect();
    },
  };
}
