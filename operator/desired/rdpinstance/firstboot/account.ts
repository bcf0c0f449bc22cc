/** Who a guest is on its first boot. */
export type Account = {
  readonly hostname: string;
  readonly username: string;
  readonly password: string;
};
