using Polder.Identity;
using Polder.Ledger.Reputation;

namespace Polder.Tests.Ledger;

public sealed class ServicePolicyTests
{
    private const long MiB = 1 << 20;
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private readonly PublicKey _me = ReputationTests.Named("me"), _a = ReputationTests.Named("a"), _b = ReputationTests.Named("b"), _new = ReputationTests.Named("newcomer");
    private readonly PersonalReputation _reputation;

    public ServicePolicyTests()
    {
        _reputation = new PersonalReputation(new WorkGraph("bytes"), _me);
        _reputation.Add(new WorkRecord(_a, _me, 100 * MiB, _a, 1, 1, 0));
        _reputation.Add(new WorkRecord(_a, _b, 900 * MiB, _a, 2, 1, 0));
    }

    [Fact]
    public void What_was_earned_is_served_and_charged_once_it_begins()
    {
        var chain = ServicePolicyChain.Recommended(_reputation, new NewcomerPurse(_reputation));
        var decision = chain.Decide(new ServiceRequest(_a, 60 * MiB, Now));
        Assert.Equal((ServiceAnswer.Serve, 60 * MiB), (decision.Answer, decision.Price));
        Assert.Contains("covers 100 MB", decision.Reason, StringComparison.Ordinal);
        Assert.Equal(100 * MiB, _reputation.Budget(_a));
        Assert.True(decision.Accept());
        Assert.Equal(40 * MiB, _reputation.Budget(_a));
        var next = chain.Decide(new ServiceRequest(_a, 60 * MiB, Now));
        Assert.Equal(ServiceAnswer.Queue, next.Answer);
        Assert.True(next.Rank > 0);
        Assert.False(next.Accept());
    }

    [Fact]
    public void Newcomers_share_one_purse_a_day()
    {
        var chain = ServicePolicyChain.Recommended(_reputation, new NewcomerPurse(_reputation));
        Assert.True(chain.Decide(new ServiceRequest(_new, 40 * MiB, Now)).Accept());
        Assert.Equal(ServiceAnswer.Queue, chain.Decide(new ServiceRequest(_new, 40 * MiB, Now)).Answer);
        // Coming back under another name does not help; tomorrow there is a new purse, but not for who had its part.
        var whitewashed = ReputationTests.Named("newcomer, washed");
        Assert.Equal(ServiceAnswer.Queue, chain.Decide(new ServiceRequest(whitewashed, 40 * MiB, Now)).Answer);
        Assert.Equal(ServiceAnswer.Serve, chain.Decide(new ServiceRequest(whitewashed, 40 * MiB, Now.AddDays(1))).Answer);
        Assert.Equal(ServiceAnswer.Queue, chain.Decide(new ServiceRequest(_new, 40 * MiB, Now.AddDays(1))).Answer);
        // Known is whoever has a record: no purse for them.
        Assert.Equal(ServiceAnswer.Queue, chain.Decide(new ServiceRequest(_b, 1 * MiB, Now.AddDays(2))).Answer);
    }

    [Fact]
    public void Friends_pay_less_members_nothing_and_cheaters_get_nothing()
    {
        var chain = ServicePolicyChain.Recommended(_reputation, new NewcomerPurse(_reputation),
            new GroupDiscount("family", key => key == _b), new FriendDiscount(key => key == _a ? 1 : null));
        var friend = chain.Decide(new ServiceRequest(_a, 150 * MiB, Now));
        Assert.Equal((ServiceAnswer.Serve, 75 * MiB), (friend.Answer, friend.Price));
        Assert.Contains("it is a friend: 50 % off", friend.Reason, StringComparison.Ordinal);
        var member = chain.Decide(new ServiceRequest(_b, 1L << 40, Now));
        Assert.Equal((ServiceAnswer.Serve, 0), (member.Answer, member.Price));
        Assert.Contains("\"family\"", member.Reason, StringComparison.Ordinal);
        _reputation.Remove(_b);
        var cheater = chain.Decide(new ServiceRequest(_b, 1, Now));
        Assert.Equal(ServiceAnswer.Refuse, cheater.Answer);
        Assert.Contains("proven cheater", cheater.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Thresholds_and_spare_room_can_be_put_in_front()
    {
        var chain = new ServicePolicyChain(new BalanceThreshold(_reputation, -500 * MiB), new IdleServesAll(), new OthersQueue(_reputation, () => true));
        Assert.Contains("900 MB more than it gave", chain.Decide(new ServiceRequest(_b, MiB, Now) { Load = 0.1 }).Reason, StringComparison.Ordinal);
        Assert.Equal(ServiceAnswer.Serve, chain.Decide(new ServiceRequest(_new, MiB, Now) { Load = 0.1 }).Answer);
        Assert.Equal(ServiceAnswer.Refuse, chain.Decide(new ServiceRequest(_new, MiB, Now)).Answer);
        Assert.Equal(ServiceAnswer.Refuse, new ServicePolicyChain().Decide(new ServiceRequest(_a, 1, Now)).Answer);
    }
}
