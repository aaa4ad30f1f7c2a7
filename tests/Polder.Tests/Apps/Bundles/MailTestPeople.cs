using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Letters;
using Polder.Simulation;

namespace Polder.Tests.Apps.Bundles;

/// <summary>People with mail-bags in one small world; everybody writes down what it gets.</summary>
internal sealed class MailTestPeople
{
    private readonly Dictionary<string, List<Letter>> _got = [];

    public MailTestPeople(ulong seed = 1, LinkModel? link = null) => World = new World(seed, link ?? new LinkModel { Latency = 10.Milliseconds });

    public World World { get; }

    public static LetterKind Kind => new(77);

    public SimulatedNode Add(string name, MailOptions? options = null, Func<Letter, bool>? takes = null) => World.AddMailNode(name, options: options, setUp: (node, host) =>
        host.Find<Mailbag>()!.Receive(Kind, letter =>
        {
            if (takes is not null && !takes(letter)) return Task.FromResult(false);
            Got(node).Add(letter);
            return Task.FromResult(true);
        }));

    public List<Letter> Got(SimulatedNode node)
    {
        if (!_got.TryGetValue(node.Name, out var letters)) _got[node.Name] = letters = [];
        return letters;
    }

    public void Befriend(SimulatedNode a, SimulatedNode b)
    {
        a.Befriend(b);
        b.Befriend(a);
    }

    /// <summary>Posts a text; the id comes when it is on the disk.</summary>
    public LetterId Post(SimulatedNode from, SimulatedNode to, string text = "hello", TimeSpan? life = null)
    {
        Task<LetterId>? task = null;
        from.Run(() => task = from.Mailbag!.PostAsync(to.Identity.Public, Kind, System.Text.Encoding.UTF8.GetBytes(text), life));
        World.RunUntil(() => task!.IsCompleted, 10.Seconds, "the letter is kept");
        return task!.Result;
    }

    public LetterState State(SimulatedNode node, LetterId id)
    {
        LetterState? state = null;
        node.Run(() => state = node.Mailbag!.StateOf(id));
        return state!;
    }

    public static string Text(Letter letter) => System.Text.Encoding.UTF8.GetString(letter.Body.Span);
}
