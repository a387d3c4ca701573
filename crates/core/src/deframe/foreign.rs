//! What else may dial a sensor server's port, recognised by its first bytes, so that its owner can be told.

/// A protocol that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// A browser, a health check, a WebSocket upgrade.
    Http,
    /// Socket.IO or Engine.IO of version 3 over HTTP.
    SocketIo3,
    /// Socket.IO or Engine.IO of another version over HTTP.
    SocketIo,
    /// A TLS handshake.
    Tls,
    /// MQTT.
    Mqtt,
    /// Nothing that is known here.
    Unknown,
}

impl Foreign {
    /// Guesses from what came first (some hundred bytes at most are looked at).
    pub fn guess(bytes: &[u8]) -> Foreign {
        let contains = |needle: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
        const METHODS: [&[u8]; 7] =
            [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"DELETE ", b"PRI * "];
        if METHODS.iter().any(|m| bytes.starts_with(m)) {
            return match (contains(b"EIO=3"), contains(b"EIO=") || contains(b"socket.io")) {
                (true, _) => Foreign::SocketIo3,
                (_, true) => Foreign::SocketIo,
                _ => Foreign::Http,
            };
        }
        match bytes {
            [0x16, 0x03, ..] => Foreign::Tls,
            [0x10, rest @ ..] if rest.windows(4).take(8).any(|w| w == b"MQTT" || w == b"MQIs") => {
                Foreign::Mqtt
            }
            _ => Foreign::Unknown,
        }
    }

    /// A sentence for the operator: what came, and what to do.
    pub const fn words(self) -> &'static str {
        match self {
            Foreign::Http => {
                "this port speaks sensock, not HTTP: point browsers and health checks at another port"
            }
            Foreign::SocketIo3 => {
                "a Socket.IO client with EIO=3 dialled: this port speaks sensock; use the sensock library on the device"
            }
            Foreign::SocketIo => {
                "a Socket.IO client dialled: this port speaks sensock; use the sensock library on the device"
            }
            Foreign::Tls => {
                "a TLS handshake came, but this port is not TLS: dial it without TLS, or another port"
            }
            Foreign::Mqtt => {
                "an MQTT CONNECT came: this port speaks sensock, the MQTT broker listens elsewhere"
            }
            Foreign::Unknown => "the first bytes are not sensock's preface: something else dialled this port",
        }
    }

    /// What is worth sending back: an answer that this protocol's own tools show to a person; empty where there is none.
    pub const fn answer(self) -> &'static [u8] {
        match self {
            Foreign::Http | Foreign::SocketIo3 | Foreign::SocketIo => {
                b"HTTP/1.1 421 Misdirected Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: 49\r\n\r\nThis port speaks sensock, a protocol for sensors."
            }
            Foreign::Tls => &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x28],
            Foreign::Mqtt => &[0x20, 0x02, 0x00, 0x01],
            Foreign::Unknown => b"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_recognised() {
        assert_eq!(Foreign::guess(b"GET / HTTP/1.1\r\n"), Foreign::Http);
        assert_eq!(Foreign::guess(b"GET /socket.io/?EIO=3&transport=websocket HTTP/1.1"), Foreign::SocketIo3);
        assert_eq!(Foreign::guess(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1"), Foreign::SocketIo);
        assert_eq!(Foreign::guess(&[0x16, 3, 1, 2, 0]), Foreign::Tls);
        assert_eq!(Foreign::guess(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c"), Foreign::Mqtt);
        assert_eq!(Foreign::guess(&[1, 2, 3]), Foreign::Unknown);
        let text = core::str::from_utf8(Foreign::Http.answer()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with("49") && body.len() == 49);
    }
}
