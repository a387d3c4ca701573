//! The way from a device to the server: a forwarder on loopback that can be cut, closed and made to swallow what goes in.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the way does to what travels on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It forwards.
    Open,
    /// Nobody gets through: a dial ends at once.
    Closed,
    /// Connections stay, and nothing comes out of them.
    Silent,
}

/// A way to the server.
#[derive(Clone)]
pub(crate) struct Way {
    /// Where the device dials.
    pub(crate) entrance: SocketAddr,
    state: Arc<watch::Sender<(State, u64)>>,
}

impl Way {
    /// Opens a way to this address.
    pub(crate) async fn open(server: SocketAddr) -> io::Result<Way> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let entrance = listener.local_addr()?;
        let (state, seen) = watch::channel((State::Open, 0));
        tokio::spawn(accept(listener, server, seen));
        Ok(Way { entrance, state: Arc::new(state) })
    }

    /// Breaks the connections that are there; what is under way in either direction is gone.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|(_, cuts)| *cuts += 1);
    }

    /// From here on it does this. Closing it cuts.
    pub(crate) fn set(&self, to: State) {
        self.state.send_modify(|(state, cuts)| {
            *state = to;
            *cuts += u64::from(to == State::Closed);
        });
    }

    /// What it does.
    pub(crate) fn state(&self) -> State {
        self.state.borrow().0
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, state: watch::Receiver<(State, u64)>) {
    while let Ok((device, _)) = listener.accept().await {
        if state.borrow().0 == State::Closed {
            drop(device);
            continue;
        }
        tokio::spawn(forward(device, server, state.clone()));
    }
}

async fn forward(device: TcpStream, server: SocketAddr, mut state: watch::Receiver<(State, u64)>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    for end in [&device, &server] {
        // A cut is a reset, not a farewell; and small frames go at once.
        let _ = end.set_zero_linger();
        let _ = end.set_nodelay(true);
    }
    let cuts = state.borrow_and_update().1;
    let ((device_in, device_out), (server_in, server_out)) = (device.into_split(), server.into_split());
    let cut = state.clone();
    tokio::select! {
        () = pump(device_in, server_out, state.clone()) => {}
        () = pump(server_in, device_out, state) => {}
        () = until_cut(cut, cuts) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<(State, u64)>) {
    let mut buffer = [0; 4_096];
    loop {
        let Ok(n @ 1..) = from.read(&mut buffer).await else { return };
        if state.wait_for(|(s, _)| *s != State::Silent).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}

async fn until_cut(mut state: watch::Receiver<(State, u64)>, cuts: u64) {
    let _ = state.wait_for(|(_, now)| *now != cuts).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_way_forwards_until_it_is_cut_and_takes_nobody_while_it_is_closed() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let way = Way::open(server.local_addr().unwrap()).await.unwrap();
        let mut device = TcpStream::connect(way.entrance).await.unwrap();
        let (mut far, _) = server.accept().await.unwrap();
        device.write_all(b"23.4").await.unwrap();
        let mut got = [0; 4];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"23.4");
        way.cut();
        assert!(!matches!(device.read(&mut got).await, Ok(1..)));
        assert!(!matches!(far.read(&mut got).await, Ok(1..)));
        way.set(State::Closed);
        let mut device = TcpStream::connect(way.entrance).await.unwrap();
        assert!(!matches!(device.read(&mut got).await, Ok(1..)));
    }
}
