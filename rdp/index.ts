export { type RdpFile, renderRdpFile } from './file.ts';
export {
  buildConnectionRequest,
  type ConnectionConfirm,
  type ConnectionRequest,
  MAX_CONFIRM_BYTES,
  MAX_COOKIE_LENGTH,
  parseConnectionConfirm,
  type SecurityProtocol,
  type ServerFlag,
} from './negotiation.ts';
export { createHandshake, type Handshake, type HandshakeOptions, type HandshakeVerdict } from './probe.ts';
