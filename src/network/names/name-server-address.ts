/** Where containers of user-defined networks ask for names, as with Docker. */
export const NAME_SERVER_ADDRESS = '127.0.0.11';
