// serialport-gsm on a terminal: `serialport-gsm.js TERMINAL CONTROL`; prints what it found, as JSON.

const fs = require("fs");
const gsm = require("serialport-gsm");

const [path, control] = process.argv.slice(2);
const modem = gsm.Modem();

const run = async () => {
  const found = { started: (await modem.initializeModem()).status };
  await new Promise((done) => modem.setModemMode(done, "PDU"));
  found.serial = (await modem.getModemSerial()).data.modemSerial;
  found.signal = (await modem.getNetworkSignal()).data.signalQuality;
  const sent = new Promise((done) => modem.once("onMessageSent", done));
  modem.sendSMS("+15550123", "hello", false);
  found.sent = (await sent).data.message;
  const news = new Promise((done) => modem.once("onNewMessage", done));
  fs.writeFileSync(control, "sms +15550100 hello from afar\n");
  const [message] = await news;
  found.message = [message.sender, message.message];
  found.inbox = (await modem.getSimInbox()).data.map((each) => each.message);
  console.log(JSON.stringify(found));
  process.exit(0);
};

modem.on("open", () => run().catch((error) => {
  console.error(error);
  process.exit(1);
}));
modem.open(path, {
  baudRate: 115200, dataBits: 8, stopBits: 1, parity: "none", rtscts: false, xon: false, xoff: false, xany: false,
  autoDeleteOnReceive: false, enableConcatenation: true, incomingCallIndication: false, incomingSMSIndication: true,
  pin: "", customInitCommand: "", cnmiCommand: "AT+CNMI=2,1,0,2,1", logger: null,
}, () => {});
