using Polder.Overlay;

namespace Polder.Apps.Contacts;

/// <summary>Carries words between contacts, in sessions only. It has no members to look for: contacts are found by their keys.</summary>
internal sealed class ContactCommunity : Community
{
    /// <summary>How often absent contacts are looked for.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(2);
    private const int AttemptsMax = 3;

    public static CommunityId Id { get; } = CommunityId.FromName("polder/contacts/1"u8);

    public ContactCommunity(CommunityContext context, ContactService service) : base(Id, context)
    {
        On<Hello>((peer, hello) => Watch(HearAsync(peer, hello, service)));
        On<Introduce>((peer, introduce) => Watch(AnswerAsync(peer, introduce, service)));
        Every(LookInterval, service.KeepInTouch);
    }

    protected internal override bool InSessionsOnly => true;

    internal override bool Walks => false;

    /// <summary>Says hello in the session with that peer; false when nobody heard it. Session messages can be lost, so it is said up to three times.</summary>
    public async Task<bool> SayAsync(Peer peer, byte flags, string alias)
    {
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
            if (await AskAsync<Hello, Heard>(peer, id => new Hello(id, flags, alias), AnswerTime) is not null) return true;
        return false;
    }

    /// <summary>Hands over an introduction; null when there is no answer.</summary>
    public async Task<byte?> IntroduceAsync(Peer peer, byte[] letter)
    {
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
            if (await AskAsync<Introduce, Introduced>(peer, id => new Introduce(id, letter), AnswerTime) is { } answer) return answer.Verdict;
        return null;
    }

    /// <summary>Work that nobody waits for: what goes wrong in it is told to the node.</summary>
    public void Watch(Task work) => _ = WatchAsync(work);

    private async Task WatchAsync(Task work)
    {
        try { await work; }
        catch (OperationCanceledException) { /* The community is left. */ }
        catch (Exception problem) { Host.Fault(problem, this); }
    }

    private async Task HearAsync(Peer peer, Hello hello, ContactService service)
    {
        if (await service.HearAsync(peer.Key, hello)) Send(peer, new Heard(hello.Identifier));
    }

    private async Task AnswerAsync(Peer peer, Introduce introduce, ContactService service) =>
        Send(peer, new Introduced(introduce.Identifier, await service.TakeIntroductionAsync(peer.Key, introduce.Letter)));
}
