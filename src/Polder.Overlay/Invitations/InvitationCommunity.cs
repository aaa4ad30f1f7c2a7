namespace Polder.Overlay.Invitations;

/// <summary>
/// Carries the use of an invitation to the inviter. It has no members to look for: peers are found by the addresses and helpers that the
/// invitation names. Joined only while an invitation is open.
/// </summary>
internal sealed class InvitationCommunity : Community
{
    private readonly InvitationService _service;

    public static CommunityId Id { get; } = CommunityId.FromName("polder/invitation/1"u8);

    public InvitationCommunity(CommunityContext context, InvitationService service) : base(Id, context)
    {
        _service = service;
        On<Redeem>((peer, redeem) => _ = AnswerAsync(peer, redeem));
        Every(TimeSpan.FromSeconds(15), service.KeepTryingAsync);
    }

    internal override bool Walks => false;

    /// <summary>Shows an invitation to its maker; null when there is no answer in two seconds.</summary>
    public async Task<RedeemVerdict?> RedeemAsync(Peer inviter, InvitationToken token)
    {
        var proof = token.ProofFor(inviter.Key, Identity.Public);
        var answer = await AskAsync<Redeem, Redeemed>(inviter, id => new Redeem(id, token.Id, proof), TimeSpan.FromSeconds(2));
        return answer?.Verdict;
    }

    private async Task AnswerAsync(Peer peer, Redeem redeem)
    {
        try { Send(peer, new Redeemed(redeem.Identifier, await _service.UseAsync(peer, redeem))); }
        catch (OperationCanceledException) { /* The community is left. */ }
        // Background work has no caller to tell.
        catch (Exception problem) { Host.Fault(problem, this); }
    }
}
