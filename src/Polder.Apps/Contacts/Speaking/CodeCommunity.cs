using Polder.Cryptography;
using Polder.Overlay;

namespace Polder.Apps.Contacts.Speaking;

/// <summary>Carries spoken codes between two nodes, in sessions only. Joined with the first code.</summary>
internal sealed class CodeCommunity : Community
{
    private const int AttemptsMax = 3;
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(2), StepInterval = TimeSpan.FromSeconds(3);

    public static CommunityId Id { get; } = CommunityId.FromName("polder/contacts/code/1"u8);

    public CodeCommunity(CommunityContext context, SpokenCodes codes) : base(Id, context)
    {
        Answer<CodeKnock, CodeAnswer>((peer, knock) => new CodeAnswer(knock.Identifier, codes.Answer(peer.Key, knock)));
        On<CodeConfirm>((peer, confirm) => Run(ConfirmAsync(peer, confirm, codes)));
        Every(StepInterval, codes.StepAsync);
    }

    protected internal override bool InSessionsOnly => true;

    internal override bool Walks => false;

    /// <summary>Knocks; null where nobody answers, empty where no code waits.</summary>
    public async Task<ReadOnlyMemory<byte>?> KnockAsync(Peer peer, ulong place, ReadOnlyMemory<byte> message) =>
        (await AskAsync<CodeKnock, CodeAnswer>(peer, id => new CodeKnock(id, place, message), AnswerTime))?.Message;

    /// <summary>Proves the key; null where nobody answers. The same proof again tells its receiver nothing more.</summary>
    public async Task<CodeConfirmed?> ConfirmAsync(Peer peer, ulong place, Hash256 proof)
    {
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
            if (await AskAsync<CodeConfirm, CodeConfirmed>(peer, id => new CodeConfirm(id, place, proof), AnswerTime) is { } answer) return answer;
        return null;
    }

    /// <summary>Work that nobody waits for: what goes wrong in it is told to the node.</summary>
    public void Run(Task work) => _ = RunAsync(work);

    private async Task RunAsync(Task work)
    {
        try { await work; }
        catch (OperationCanceledException) { /* The community is left. */ }
        catch (Exception problem) { Host.Fault(problem, this); }
    }

    private async Task ConfirmAsync(Peer peer, CodeConfirm confirm, SpokenCodes codes)
    {
        var (verdict, proof) = await codes.ConfirmAsync(peer.Key, confirm);
        Send(peer, new CodeConfirmed(confirm.Identifier, verdict, proof));
    }
}
