using Polder.Identity;
using Polder.Overlay.Sessions;

namespace Polder.Apps.Bundles.Carrying;

/// <summary>What was said with one peer in one session: nothing is offered twice without a reason.</summary>
internal sealed class MailTalk(Session session)
{
    private const int AskedMax = 16_384;

    private readonly Dictionary<ulong, TimeSpan> _asked = [];

    public Session Session => session;

    public PublicKey Key => session.Peer.Key;

    public bool IsGiving { get; set; }

    /// <summary>Something came up while we were giving.</summary>
    public bool Again { get; set; }

    /// <summary>It does not speak this protocol, or broke it.</summary>
    public bool IsMute { get; set; }

    /// <summary>Whether it took part in the mail: whoever did hears of proofs.</summary>
    public bool TakesPart { get; set; }

    /// <summary>The newest proof that it was told of.</summary>
    public long NotesTold { get; set; }

    /// <summary>Carried letters for it, as of <see cref="CarriedVersion"/>.</summary>
    public List<ulong> Carried { get; set; } = [];

    public long CarriedVersion { get; set; } = -1;

    public bool MayAsk(ulong head, TimeSpan now) => !_asked.TryGetValue(head, out var until) || until <= now;

    /// <summary>It is not to be offered again before then.</summary>
    public void NotBefore(ulong head, TimeSpan until)
    {
        if (_asked.Count >= AskedMax) _asked.Clear();
        _asked[head] = until;
    }
}
