// A phone of one page: JsSIP with a microphone, and what the test asks of it. Bundled by browser.mjs.

import JsSIP from "jssip"

const media = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } }
const heard = []
let agent = null
let session = null

const note = (name, detail = "") => heard.push({ name, detail: String(detail ?? "") })

function watch(made) {
  session = made
  for (const name of ["accepted", "confirmed"]) session.on(name, () => note(name))
  for (const name of ["ended", "failed"]) session.on(name, (event) => note(name, event.cause))
}

window.phone = {
  start({ url, uri, password }) {
    const sockets = [new JsSIP.WebSocketInterface(url)]
    agent = new JsSIP.UA({ sockets, uri, password, connection_recovery_min_interval: 1, connection_recovery_max_interval: 2 })
    agent.on("connected", () => note("connected"))
    agent.on("disconnected", (event) => note("disconnected", event.code))
    agent.on("registered", () => note("registered"))
    agent.on("registrationFailed", (event) => note("registrationFailed", event.cause))
    agent.on("newRTCSession", (event) => {
      watch(event.session)
      if (event.originator === "remote") event.session.answer(media)
    })
    agent.start()
  },
  call(uri) {
    agent.call(uri, media)
  },
  hangUp() {
    session.terminate()
  },
  heard: () => heard,
  // What getStats says of the media: packets that came, and whether they were encrypted.
  async statistics() {
    const found = { received: 0, dtls: "", ice: "" }
    const connection = session && session.connection
    if (!connection) return found
    found.ice = connection.iceConnectionState
    for (const report of (await connection.getStats()).values()) {
      if (report.type === "inbound-rtp") found.received += report.packetsReceived
      if (report.type === "transport") found.dtls = report.dtlsState
    }
    return found
  },
}
