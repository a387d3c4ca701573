//! A socket that reads what is there into a buffer which all clients of the thread share: an idle client owns none.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

thread_local! {
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 << 10]);
}

/// One connection's socket.
#[derive(Debug)]
pub(super) struct Wire(TcpStream);

impl Wire {
    /// Dials; what is written goes out at once. As in a real fleet, each device has an address of its own: 127.1.x.y.
    pub(super) async fn dial(server: SocketAddr, number: usize) -> Result<Self> {
        let [.., high, low] = u32::try_from(number)?.to_be_bytes();
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 1, high, low], 0)))?;
        let io = socket.connect(server).await.with_context(|| format!("{server} cannot be reached"))?;
        io.set_nodelay(true)?;
        Ok(Self(io))
    }

    /// Writes all of it.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).await.context("the server takes no more bytes")
    }

    /// Waits until something can be read. Cancel safe.
    pub(super) async fn readable(&self) -> Result<()> {
        Ok(self.0.readable().await?)
    }

    /// Gives what is there to `take`; `false` if nothing was.
    pub(super) fn read(&self, take: impl FnOnce(&[u8]) -> Result<()>) -> Result<bool> {
        READ.with_borrow_mut(|buffer| match self.0.try_read(buffer) {
            Ok(0) => bail!("the server closed the connection"),
            Ok(n) => take(&buffer[..n]).map(|()| true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error).context("the connection broke"),
        })
    }
}
