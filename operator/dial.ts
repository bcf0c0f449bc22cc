import { connect } from 'node:net';
import type { Connection, Dial } from './context.ts';

/** Opens real TCP connections. Bytes are handed out as they arrive; what is not read stays in the socket's buffer. */
export const dialTcp: Dial = ({ host, port }, signal) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      const chunks = socket[Symbol.asyncIterator]();
      const connection: Connection = {
        write: (bytes) => void socket.write(bytes),
        read: async () => {
          const { value, done } = await chunks.next();
          return done === true ? undefined : value;
        },
        close: () => socket.destroy(),
      };
      resolve(connection);
    });
  });
