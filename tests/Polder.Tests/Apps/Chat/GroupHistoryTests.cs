using Polder.Apps.Chat;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Tests.Apps.Chat;

public sealed class GroupHistoryTests
{
    private readonly Dictionary<string, KeyPair> _keys = [];
    private readonly Prng _random = new(99);

    private PublicKey Key(string name) => Pair(name).Public;

    private KeyPair Pair(string name)
    {
        if (_keys.TryGetValue(name, out var known)) return known;
        Span<byte> entropy = stackalloc byte[KeyPair.EntropyBytes];
        Prng.Derive(7, name).Fill(entropy);
        return _keys[name] = KeyPair.FromEntropy(entropy);
    }

    private (ChatEvent Event, GroupChange Change) Make(string author, ChangeKind kind, GroupHistory? knows, ulong clock, params string[] people)
    {
        var brings = kind is ChangeKind.Create or ChangeKind.Add or ChangeKind.Remove or ChangeKind.Rekey;
        var change = new GroupChange(kind, knows?.Heads ?? [], kind is ChangeKind.Create or ChangeKind.Rename ? "g" : "",
            [.. people.Select(name => new Named(Key(name.TrimEnd('*')), name.EndsWith('*'), 0))], brings ? Hash256.Of("x"u8) : default, []);
        var group = knows?.InOrder.First().Id.Hash ?? default;
        var header = new EventHeader(EventClass.Change, new ConversationId(group), Key(author), 0, 0, clock, 0, default, new UInt128(_random.NextUInt64(), _random.NextUInt64()));
        return (ChatEvent.Make(header, change.Write(), Pair(author), Ed25519Signatures.Instance), change);
    }

    private string Look(GroupHistory history) =>
        string.Join(' ', history.State.Members.Select(one => _keys.First(pair => pair.Value.Public == one.Key).Key + (one.Value ? "*" : "")).Order(StringComparer.Ordinal));

    private static GroupHistory Of(IEnumerable<(ChatEvent Event, GroupChange Change)> all)
    {
        var (history, waiting) = (new GroupHistory(), all.ToList());
        for (var moved = true; moved;)
        {
            moved = false;
            foreach (var one in waiting.ToArray())
            {
                if (history.Count == 0 && one.Change.Kind != ChangeKind.Create) continue;
                if (history.Add(one.Event, one.Change) == ChangeVerdict.Waits) continue;
                waiting.Remove(one);
                moved = true;
            }
        }
        return history;
    }

    [Fact]
    public void When_two_admins_remove_each_other_the_one_who_was_admin_first_stays()
    {
        var create = Make("a", ChangeKind.Create, null, 1, "b*", "c");
        var common = Of([create]);
        var (one, other) = (Make("a", ChangeKind.Remove, common, 5, "b"), Make("b", ChangeKind.Remove, common, 2, "a"));
        Assert.Equal("a* c", Look(Of([create, one, other])));
        Assert.Equal("a* c", Look(Of([other, create, one])));
    }

    [Fact]
    public void Removal_wins_over_what_the_removed_did_beside_it_however_early_it_is_said_to_be()
    {
        var create = Make("a", ChangeKind.Create, null, 1, "b*", "c");
        var common = Of([create]);
        var (removal, friend) = (Make("a", ChangeKind.Remove, common, 50, "b"), Make("b", ChangeKind.Add, common, 2, "m*"));
        var after = Of([create, friend]);
        var byFriend = Make("m", ChangeKind.Remove, after, 3, "a");
        Assert.Equal("a* c", Look(Of([create, friend, byFriend, removal])));
        Assert.Equal("a* c", Look(Of([create, removal, friend, byFriend])));
    }

    [Fact]
    public void Who_is_removed_and_added_at_once_is_out_and_can_be_added_again()
    {
        var create = Make("a", ChangeKind.Create, null, 1, "b*", "c");
        var common = Of([create]);
        var leave = Make("c", ChangeKind.Leave, common, 2, "c");
        var gone = Of([create, leave]);
        Assert.Equal("a* b*", Look(gone));
        var again = Make("b", ChangeKind.Add, gone, 3, "c");
        Assert.Equal("a* b* c", Look(Of([create, leave, again])));
    }

    [Fact]
    public void Who_has_no_right_is_refused_and_so_is_all_that_stands_on_it()
    {
        var create = Make("a", ChangeKind.Create, null, 1, "b", "c");
        var common = Of([create]);
        var wrong = Make("b", ChangeKind.Remove, common, 2, "c");
        var history = Of([create]);
        Assert.Equal(ChangeVerdict.Refused, history.Add(wrong.Event, wrong.Change));
        Assert.Equal(ChangeVerdict.Refused, history.Add(wrong.Event, wrong.Change));
        Assert.Equal("a* b c", Look(history));
        var second = Make("b", ChangeKind.Create, null, 1, "c");
        Assert.Equal(ChangeVerdict.Refused, history.Add(second.Event, second.Change));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_order_of_arrival_gives_the_same_group(ulong seed)
    {
        for (ulong round = 0; round < 60; round++)
        {
            var random = Prng.Derive(seed, round.ToString(System.Globalization.CultureInfo.InvariantCulture));
            string[] names = ["a", "b", "c", "d", "e", "f"];
            var all = new List<(ChatEvent Event, GroupChange Change)> { Make("a", ChangeKind.Create, null, 1, "b*", "c*", "d") };
            foreach (var name in names) Key(name);
            for (var i = 0; i < 14; i++)
            {
                // Each author knows some of what there is, never all by rule.
                var knows = Of(all.Where(one => one.Change.Kind == ChangeKind.Create || random.Chance(0.7)));
                var author = random.Pick(names);
                ChangeKind[] kinds = [ChangeKind.Add, ChangeKind.Remove, ChangeKind.Leave, ChangeKind.Promote, ChangeKind.Demote, ChangeKind.Rekey, ChangeKind.Rename];
                var kind = random.Pick(kinds);
                string[] people = kind switch
                {
                    ChangeKind.Rekey or ChangeKind.Rename => [], ChangeKind.Leave => [author],
                    ChangeKind.Add => [random.Pick(names) + (random.Chance(0.4) ? "*" : "")], _ => [random.Pick(names)],
                };
                if (kind == ChangeKind.Remove && people[0] == author) continue;
                all.Add(Make(author, kind, knows, (ulong)random.Next(2, 9) + knows.InOrder.Max(static node => node.Order.Clock), people));
            }
            var expected = Look(Of(all));
            for (var i = 0; i < 6; i++)
            {
                var order = all.ToArray();
                random.Shuffle<(ChatEvent, GroupChange)>(order);
                Assert.True(expected == Look(Of([.. order, .. order])), $"seed {seed}, round {round}");
            }
        }
    }

    [Fact]
    public void A_hostile_admin_s_hundreds_of_changes_beside_one_another_hold_nobody_up()
    {
        var people = Enumerable.Range(0, 120).Select(static number => $"m{number}").ToArray();
        var (create, change) = Make("mallory", ChangeKind.Create, null, 1, people);
        var history = new GroupHistory();
        Assert.Equal(ChangeVerdict.Added, history.Add(create, change));
        var root = history.Heads;
        var first = new GroupHistory();
        first.Add(create, change);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (var i = 0; i < 500; i++)
        {
            var (removal, removed) = Make("mallory", ChangeKind.Remove, first, 2 + (ulong)i, [.. people.Skip(i % 60).Take(60)]);
            Assert.Equal(root, removed.Parents);
            Assert.Equal(ChangeVerdict.Added, history.Add(removal, removed));
        }
        _ = history.State;
        TestContext.Current.TestOutputHelper?.WriteLine($"{clock.ElapsedMilliseconds} ms with signing");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), clock.Elapsed.ToString());
        Assert.Equal("m119 mallory*", Look(history));
    }
}
