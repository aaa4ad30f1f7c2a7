using Polder.Apps.Parcels.Mailbox;
using Polder.Node;
using Polder.Node.Parcels;

namespace Polder.Host;

/// <summary>What a node serves to people who send each other something: a mailbox and a relay, each where the owner wants it.</summary>
internal sealed class ParcelServers : IAsyncDisposable
{
    private MailboxFace? _mailbox;
    private TransitRelayServer? _relay;

    /// <summary>The mailbox server's port; null without one.</summary>
    public int? MailboxPort => _mailbox?.Port;
    /// <summary>The relay's port; null without one.</summary>
    public int? RelayPort => _relay?.Port;

    /// <summary>Starts what the options ask for. Throws <see cref="NodeStartException"/> when a port is taken.</summary>
    public async Task StartAsync(NodeOptions options, string folder, CancellationToken cancellation)
    {
        if (options.RelayPort is { } relay) _relay = TransitRelayServer.Start(relay, options.Loopback, options.RelayBytesPerSecond, options.RelayMonthMax);
        if (options.MailboxPort is { } mailbox)
        {
            var service = new MailboxService(new MailboxServerOptions { Listing = options.MailboxListing }, Path.Combine(folder, "mailbox.db"));
            _mailbox = await MailboxFace.StartAsync(service, mailbox, options.Loopback, cancellation).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_mailbox is not null) await _mailbox.DisposeAsync().ConfigureAwait(false);
        if (_relay is not null) await _relay.DisposeAsync().ConfigureAwait(false);
    }
}
