//! The other end of the machine's serial line: a modem that dials the server when it is told to. Its words are listed in `port_lx106.c`.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

const ESC: u8 = 0x10;

/// A listening modem; it lasts as long as the machine's line.
pub(crate) struct Modem {
    address: SocketAddr,
}

impl Modem {
    /// Waits for one machine's line.
    pub(crate) fn start(server: SocketAddr) -> io::Result<Modem> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        std::thread::spawn(move || {
            let (line, _) = listener.accept()?;
            line.set_nodelay(true)?;
            serve(line, server)
        });
        Ok(Modem { address })
    }

    /// Where the line ends.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// What is said to the machine, by two threads: each word is whole.
type Line = Arc<Mutex<TcpStream>>;

fn serve(mut line: TcpStream, server: SocketAddr) -> io::Result<()> {
    let said: Line = Arc::new(Mutex::new(line.try_clone()?));
    let (mut escaped, mut connection, mut chunk) = (false, None::<Connection>, [0; 512]);
    loop {
        let n = line.read(&mut chunk)?;
        if n == 0 {
            return Ok(());
        }
        let mut data = Vec::with_capacity(n);
        for byte in &chunk[..n] {
            match (escaped, *byte) {
                (false, ESC) => escaped = true,
                (true, b'D') => {
                    escaped = false;
                    data.clear();
                    hang_up(connection.take());
                    match dial(server) {
                        Ok(up) => {
                            say(&said, b'C')?;
                            let listener = listen(up.try_clone()?, said.clone());
                            connection = Some(Connection { up, listener });
                        }
                        Err(_) => say(&said, b'F')?,
                    }
                }
                (true, b'H') => {
                    escaped = false;
                    data.clear();
                    hang_up(connection.take());
                }
                (_, byte) => {
                    escaped = false;
                    data.push(byte);
                }
            }
        }
        if let Some(connection) = &mut connection {
            // That it is gone is heard by the thread that listens.
            let _gone = connection.up.write_all(&data);
        }
    }
}

/// A connection to the server, and the thread that passes on what it brings.
struct Connection {
    up: TcpStream,
    listener: JoinHandle<io::Result<()>>,
}

fn dial(server: SocketAddr) -> io::Result<TcpStream> {
    let up = TcpStream::connect(server)?;
    up.set_nodelay(true)?;
    Ok(up)
}

/// Nothing of this connection is said after it.
fn hang_up(connection: Option<Connection>) {
    if let Some(Connection { up, listener }) = connection {
        let _gone = up.shutdown(Shutdown::Both);
        let _said = listener.join();
    }
}

fn say(line: &Line, word: u8) -> io::Result<()> {
    line.lock().unwrap().write_all(&[ESC, word])
}

/// Passes on what a connection brings, until it ends.
fn listen(mut down: TcpStream, line: Line) -> JoinHandle<io::Result<()>> {
    std::thread::spawn(move || {
        let mut chunk = [0; 512];
        while let Ok(n @ 1..) = down.read(&mut chunk) {
            let mut out = Vec::with_capacity(2 * n);
            for byte in &chunk[..n] {
                if *byte == ESC {
                    out.push(ESC);
                }
                out.push(*byte);
            }
            line.lock().unwrap().write_all(&out)?;
        }
        say(&line, b'N')
    })
}
