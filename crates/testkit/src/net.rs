//! Free ports and an address at which a dial hangs.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// A loopback port that was free a moment ago.
///
/// # Errors
/// When the machine has no free port.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// An address at which a dial hangs: nothing refuses it and nothing answers, as behind a dropped network cable.
///
/// Lasts as long as the value. Needs Linux, which ignores a dial once the listener's queue is full.
#[derive(Debug)]
pub struct BlackHole {
    addr: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<std::net::TcpStream>,
}

impl BlackHole {
    /// Opens one on loopback.
    ///
    /// # Errors
    /// When no port is free, or dials still get through after the queue should be full.
    pub fn open() -> io::Result<Self> {
        let listener = {
            let _inside = crate::proxy::runtime()?.enter();
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            socket.listen(0)?.into_std()?
        };
        let addr = listener.local_addr()?;
        let mut queued = Vec::new();
        for _ in 0..8 {
            match std::net::TcpStream::connect_timeout(&addr, std::time::Duration::from_millis(100)) {
                Ok(stream) => queued.push(stream),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Ok(Self { addr, _listener: listener, _queued: queued });
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(
            "this system answers dials beyond the listener's queue; a black hole needs Linux",
        ))
    }

    /// Where to dial.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound() {
        let port = free_port().unwrap();
        assert_eq!(
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap().local_addr().unwrap().port(),
            port
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_dial_into_a_black_hole_hangs() {
        let hole = BlackHole::open().unwrap();
        let dial = std::net::TcpStream::connect_timeout(&hole.addr(), std::time::Duration::from_millis(200));
        assert_eq!(dial.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
