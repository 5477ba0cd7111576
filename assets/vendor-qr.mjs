// What of qr the check-in's camera uses where the browser reads no codes itself, as one file.
export { default as decode } from "qr/decode.js";
