using System.Globalization;
using Polder.Apps.Bundles;
using Polder.Apps.Chat;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// Friends talk two by two and in groups through loss, partition, crashes, full disks and clocks that are days apart, while people are added,
/// removed and leave. In the end nobody has lost or doubled a message, all who are in a group see the same, and nobody holds a key of a time
/// in which he was not a member.
/// </summary>
internal static class ChatScenario
{
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(8);

    public static Scenario Scenario { get; } = new(
        "chat", "Friends talk in pairs and groups under loss, partition, clock skew and crashes: nothing is lost or doubled, groups converge, the removed hold no key.",
        [1, 2, 3, 4], 6, run => new Play(run).Run());

    /// <summary>What somebody was told to be on the disk, and for whom it is.</summary>
    private sealed record Promise(EventId Event, ConversationId Conversation, string Text, SimulatedNode By, IReadOnlyList<PublicKey> For);

    private sealed class Play(ScenarioRun run)
    {
        private readonly Prng _random = Prng.Derive(run.Seed, "chat");
        private readonly List<Promise> _promises = [];
        private readonly SortedSet<ConversationId> _groups = [];
        private World _world = null!;
        private int _said, _refused;

        public void Run()
        {
            _world = run.NewWorld(run.DrawLink(), mischief: false);
            var nodes = Math.Clamp(run.Nodes, 3, 24);
            for (var i = 0; i < nodes; i++)
            {
                var home = new Home { ClockOffset = run.Swarm.Chance(0.5) ? TimeSpan.FromHours(run.Swarm.Next(-200, 200)) : TimeSpan.Zero, ClockDriftPpm = run.Swarm.Next(-50, 50) };
                var node = _world.AddNode("n" + i.ToString(CultureInfo.InvariantCulture), home, static node => new ChatNode(node));
                if (run.Swarm.Chance(0.5)) node.Disk.Latency = run.Swarm.Next(1, 30).Milliseconds;
            }
            var storm = Storm.Begin(run, _world, 20.Seconds);
            Plan(2.Seconds);
            _world.RunFor(Length);
            storm.End();
            _world.EndFaults();
            foreach (var node in _world.Nodes)
            {
                node.Disk.Clear();
                if (!node.IsRunning) _world.Restart(node.Name);
                // Getting through boxes is other scenarios' business: everybody comes home.
                if (node.Box is not null) _world.Roam(node.Name, node.Home with { Nat = null, Carrier = null, Box = null });
            }
            _world.RunUntil(() => _world.Nodes.All(static node => Chat(node).OpenLetters == 0 && Chat(node).Store.Unposted(1).Count == 0) && Missing() is null,
                60.Minutes, "every letter has arrived, and every promise is kept", 5.Seconds, () => Missing() ?? "letters are still open");
            Judge();
            run.Say(string.Create(CultureInfo.InvariantCulture, $"{_said} messages and changes, {_promises.Count} promised for others, {_groups.Count} groups, {_refused} refused"));
        }

        private static ChatNode Chat(SimulatedNode node) => (ChatNode)node.Program!;

        private void Plan(TimeSpan at)
        {
            if (at > Length) return;
            _world.At(at, () =>
            {
                var node = _random.Pick(_world.Nodes);
                if (_random.Chance(0.02)) Trouble(_random.Pick(_world.Nodes));
                if (node.IsRunning) node.Run(() => _ = ActAsync(node, Chat(node)));
                Plan(_world.Now + _random.NextDuration(3.Seconds));
            });
        }

        private void Trouble(SimulatedNode node)
        {
            if (_random.Chance(0.5)) node.Disk.IsFull = true;
            else node.Disk.FaultAt(node.Disk.Writes + _random.Next(1, 4), _random.Pick<DiskFault>([DiskFault.CrashBefore, DiskFault.CrashAfter, DiskFault.CrashTorn, DiskFault.Fail]));
            _world.At(_world.Now + _random.NextDuration(20.Seconds), () =>
            {
                node.Disk.IsFull = false;
                if (!node.IsRunning) _world.Restart(node.Name);
            });
        }

        private async Task ActAsync(SimulatedNode node, ChatNode chat)
        {
            _said++;
            try
            {
                var mine = _groups.Where(id => chat.Chat.Group(id)?.State.IsMember(node.Identity.Public) == true).ToList();
                var choice = _random.Next(100);
                if (choice < 4 && _groups.Count < 4)
                    _groups.Add((await chat.Chat.CreateGroupAsync("group " + _groups.Count.ToString(CultureInfo.InvariantCulture), Some(node))).Id);
                else if (choice < 20 && mine.Count > 0) await ChangeAsync(node, chat, _random.Pick(mine));
                else if (choice < 70 && mine.Count > 0) await SayAsync(node, chat, _random.Pick(mine));
                else await SayAsync(node, chat, chat.Chat.With(_random.Pick(Others(node))).Id);
            }
            catch (Exception problem) when (problem is ChatRefusedException or IOException or MailRefusedException) { _refused++; }
        }

        private List<PublicKey> Others(SimulatedNode node) => [.. _world.Nodes.Where(other => other != node).Select(static other => other.Identity.Public)];

        private List<PublicKey> Some(SimulatedNode node) => [.. Others(node).Where(_ => _random.Chance(0.6))];

        private async Task ChangeAsync(SimulatedNode node, ChatNode chat, ConversationId id)
        {
            var state = chat.Chat.Group(id)!.State;
            var who = _random.Pick(Others(node));
            await (_random.Next(8) switch
            {
                0 or 1 or 2 => chat.Chat.AddAsync(id, [who], _random.Chance(0.3)),
                3 or 4 => chat.Chat.RemoveAsync(id, who),
                5 => chat.Chat.PromoteAsync(id, who, !state.IsAdmin(who)),
                6 => chat.Chat.RenameAsync(id, "named " + _random.Next(100).ToString(CultureInfo.InvariantCulture)),
                _ => _random.Chance(0.3) ? chat.Chat.LeaveAsync(id) : chat.Chat.AddAsync(id, [who]),
            });
        }

        private async Task SayAsync(SimulatedNode node, ChatNode chat, ConversationId id)
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"{node.Name} {_said}");
            var page = chat.Store.Page(id, null, 20).Where(static one => one.Kind == (byte)MessageKind.Text).ToList();
            var mine = page.Where(one => one.Author == node.Identity.Public).ToList();
            var content = _random.Next(10) switch
            {
                0 when mine.Count > 0 => MessageContent.OfEdit(_random.Pick(mine).Id, text + " edited"),
                1 when mine.Count > 0 => MessageContent.OfDelete(_random.Pick(mine).Id),
                2 or 3 when page.Count > 0 => MessageContent.OfReaction(_random.Pick(page).Id, _random.Pick<string>(["a", "b"]), _random.Chance(0.7)),
                4 when page.Count > 0 => MessageContent.OfText(text, _random.Pick(page).Id),
                _ => MessageContent.OfText(text),
            };
            var members = chat.Chat.Group(id)?.State.Members.Keys.ToList();
            var said = await chat.Chat.SendAsync(id, content);
            var readers = members ?? [chat.Store.Find(id)!.Peer!];
            if (members is not null && !chat.Chat.Group(id)!.Find(said.Epoch)!.After.Members.Keys.SequenceEqual(members))
                _world.Fail($"{node.Name} wrote under a key that others hold than those who were members as far as it knew");
            _promises.Add(new Promise(said.Id, id, text, node, [.. readers.Where(key => key != node.Identity.Public)]));
        }

        private string? Missing()
        {
            foreach (var promise in _promises)
            {
                if (Chat(promise.By).Store.Find(promise.Event) is null) return $"{promise.By.Name} forgot its own \"{promise.Text}\"";
                foreach (var reader in _world.Nodes.Where(node => promise.For.Contains(node.Identity.Public)))
                    if (Chat(reader).Store.Find(promise.Event) is null) return $"{reader.Name} has never got \"{promise.Text}\" of {promise.By.Name}";
            }
            return null;
        }

        private void Judge()
        {
            foreach (var node in _world.Nodes)
            {
                var store = Chat(node).Store;
                foreach (var conversation in store.Conversations())
                {
                    var texts = store.Page(conversation.Id, null, int.MaxValue).Where(static one => one.Kind == (byte)MessageKind.Text).Select(static one => one.Content!.Text).ToList();
                    if (texts.Distinct().Count() != texts.Count) _world.Fail($"{node.Name} shows a message twice");
                    if (store.Held(conversation.Id).Count > 0) _world.Fail($"{node.Name} still holds something back");
                }
            }
            foreach (var id in _groups) JudgeGroup(id);
            foreach (var pair in _promises.Where(static promise => promise.For.Count == 1).Select(static promise => promise.Conversation).Distinct())
            {
                var both = _world.Nodes.Where(node => Chat(node).Store.Find(pair) is { Kind: ConversationKind.Pair }).ToList();
                if (both.Count == 2 && Lines(both[0], pair, null) != Lines(both[1], pair, null)) _world.Fail($"{both[0].Name} and {both[1].Name} do not see the same");
            }
            _world.ThrowIfFailed();
        }

        private void JudgeGroup(ConversationId id)
        {
            var knowing = _world.Nodes.Where(node => Chat(node).Chat.Group(id) is not null).ToList();
            // Who was told everything: the members, by the word of any member.
            var members = knowing.Where(node => Chat(node).Chat.Group(id)!.State.IsMember(node.Identity.Public)).ToList();
            var states = members.Select(node => Describe(Chat(node).Chat.Group(id)!.State)).Distinct().ToList();
            if (states.Count > 1) _world.Fail($"The members of a group disagree about it: {string.Join(" | ", states)}");
            foreach (var node in knowing)
                foreach (var change in Chat(node).Chat.Group(id)!.InOrder)
                    if (change.Change.BringsKey && !change.After.IsMember(node.Identity.Public) && Chat(node).Store.Secret(change.Id) is not null)
                        _world.Fail($"{node.Name} holds a key of a time in which it was no member");
            var steady = members.Where(node => Chat(node).Chat.Group(id)!.State.Removals.All(removal => removal.Who != node.Identity.Public)).ToList();
            for (var i = 1; i < steady.Count; i++)
            {
                var (one, other) = (steady[i - 1], steady[i]);
                bool Common(EventId said) => Chat(one).Store.Find(said) is not null && Chat(other).Store.Find(said) is not null;
                if (Lines(one, id, Common) != Lines(other, id, Common)) _world.Fail($"{one.Name} and {other.Name} do not see the same group:\n{Lines(one, id, Common)}\n{Lines(other, id, Common)}");
            }
        }

        private static string Describe(GroupState state) => state.Name + ": " + string.Join(' ', state.Members.Select(static one => one.Key.ShortName + (one.Value ? "*" : "")));

        private static string Lines(SimulatedNode node, ConversationId id, Func<EventId, bool>? only)
        {
            var store = Chat(node).Store;
            return string.Join('\n', store.Page(id, null, int.MaxValue).Where(one => one.Kind == (byte)MessageKind.Text && (only is null || only(one.Id))).Select(one =>
            {
                var state = new MessageState(new Said(one.Order, one.Author, one.Content!));
                foreach (var aimed in store.AimedAt(one.Id))
                    if (only is null || only(aimed.Id)) state.Apply(new Said(aimed.Order, aimed.Author, aimed.Content!));
                return $"{one.Author.ShortName}: {state.IsDeleted} {state.Text} {string.Join(' ', state.Reactions.Select(static reaction => reaction.Sign + reaction.By.Count.ToString(CultureInfo.InvariantCulture)))}";
            }));
        }
    }
}
