using System.Globalization;
using Polder.Host.Lab;
using Polder.Host.Pages.Chain;
using Polder.Host.Pages.Doctor;
using Polder.Host.Pages.Frame;
using Polder.Host.Pages.Fraud;
using Polder.Host.Pages.Home;
using Polder.Host.Pages.Inbox;
using Polder.Host.Pages.Invitations;
using Polder.Host.Pages.LiveLab;
using Polder.Host.Pages.Network;
using Polder.Host.Pages.Peers;
using Polder.Host.Pages.Simulator;
using Polder.Host.Pages.Trust;
using Polder.Node.Operations;

namespace Polder.Host.Pages;

/// <summary>Asks the node for what a page shows. The same for the page itself and for its live fragments.</summary>
internal sealed class PageLoader(INodeOperations node, ILabFeed lab, TrafficHistory traffic, SimulationJobs jobs, TimeProvider time)
{
    /// <summary>Blocks that are listed on one page of a chain.</summary>
    public const int BlocksListed = 15;
    /// <summary>Blocks that are drawn as stones.</summary>
    public const int StonesDrawn = 120;
    /// <summary>Rows of the ranking.</summary>
    public const int RanksListed = 100;

    /// <summary>Frauds on the page, two blocks each.</summary>
    public const int FraudsShown = 20;

    /// <summary>How long an invitation of the page holds.</summary>
    public static readonly TimeSpan InvitationLifetime = TimeSpan.FromDays(7);

    /// <summary>The names in the addresses of live streams, "/live/home".</summary>
    public static readonly IReadOnlyList<string> LiveNames = ["home", "peers", "chain", "block", "trust", "inbox", "doctor", "lab", "simulation", "fraud", "network", "mailbag", "contacts", "contact", "send", "chat", "graph"];

    /// <summary>Loads a page by its name and query.</summary>
    public Task<IPageModel> LoadAsync(string name, IQueryCollection query, Notice? notice, CancellationToken cancellation) => name switch
    {
        "home" => HomeAsync(FormWithPeer(query), FormState.Empty, Text(query, "alone") is { } alone ? alone == "1" : null, notice, cancellation),
        "peers" => PeersAsync(FormState.Empty, FormState.Empty, notice, cancellation),
        "chain" => ChainAsync(Text(query, "peer"), Number(Text(query, "at")) is { } at and < long.MaxValue ? at + 1 : Number(Text(query, "before")), notice, cancellation),
        "trust" => TrustAsync(Text(query, "unit"), Text(query, "by"), Text(query, "why"), notice, cancellation),
        "inbox" => InboxAsync(notice, cancellation),
        "doctor" => DoctorAsync(notice, cancellation),
        "simulation" => SimulationAsync(Text(query, "study"), FormState.Empty, notice, cancellation),
        "fraud" => FraudAsync(null, false, null, notice, cancellation),
        "network" => NetworkAsync(notice, cancellation),
        "graph" => GraphAsync(Text(query, "prefix") ?? "", Text(query, "soul"), Text(query, "after"), notice, cancellation),
        "contacts" => ContactsAsync(FormState.Empty, notice, cancellation),
        "contact" => ContactAsync(Text(query, "who") ?? "", FormState.Empty, notice, cancellation),
        "send" => SendAsync(FormState.Empty, notice, cancellation),
        "mailbag" => MailbagAsync(null, notice, cancellation),
        "chat" => ChatAsync(Text(query, "with"), Text(query, "before"), Text(query, "around"), Text(query, "reply"), Text(query, "edit"), Text(query, "find"), "", null, notice, cancellation),
        "lab" => LabAsync(Number(Text(query, "drawn")), notice, cancellation),
        _ => throw new OperationRefusedException(RefusalKind.NotFound, "There is no such page."),
    };

    public async Task<IPageModel> HomeAsync(FormState record, FormState join, bool? alone, Notice? notice, CancellationToken cancellation)
    {
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        var peers = await node.PeersAsync(cancellation).ConfigureAwait(false);
        // Whether the join form stands beside is decided when the page is loaded; fragments keep to it.
        var joinBeside = alone ?? !peers.Any(peer => peer.Verified);
        var inbox = status.InboxWaiting > 0 ? await node.InboxAsync(cancellation).ConfigureAwait(false) : [];
        return new HomeModel(
            Frame(status, notice, "/live/home?alone=" + (joinBeside ? "1" : "0")), peers,
            await TrustByKeyAsync(cancellation).ConfigureAwait(false), await CulpritsAsync(status, cancellation).ConfigureAwait(false),
            inbox, traffic.Samples, record, join, joinBeside);
    }

    public async Task<IPageModel> PeersAsync(FormState record, FormState join, Notice? notice, CancellationToken cancellation)
    {
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        var peers = await node.PeersAsync(cancellation).ConfigureAwait(false);
        var culprits = await CulpritsAsync(status, cancellation).ConfigureAwait(false);
        var contacts = await node.Network.ContactsAsync(cancellation).ConfigureAwait(false);
        return new PeersModel(Frame(status, notice, "/live/peers"), peers, contacts, culprits, record, join);
    }

    /// <summary>The page Graph: the souls that begin so, or one node.</summary>
    public async Task<IPageModel> GraphAsync(string prefix, string? soul, string? after, Notice? notice, CancellationToken cancellation, FormState? topic = null)
    {
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        var graph = await node.Graph.LookAsync(cancellation).ConfigureAwait(false);
        var souls = soul is null ? await node.Graph.SoulsAsync(prefix, after, 100, cancellation).ConfigureAwait(false) : null;
        var shown = soul is null ? null : await node.Graph.NodeAsync(soul, null, after, 200, cancellation).ConfigureAwait(false);
        return new Graph.GraphModel(Frame(status, notice, "/live" + Graph.GraphModel.Link(prefix, soul, after)), graph, prefix, soul, souls, shown,
            await node.Graph.TopicsAsync(cancellation).ConfigureAwait(false), topic ?? FormState.Empty);
    }

    public async Task<IPageModel> DoctorAsync(Notice? notice, CancellationToken cancellation) => new DoctorModel(
        Frame(await node.StatusAsync(cancellation).ConfigureAwait(false), notice, "/live/doctor"),
        await node.Network.DoctorAsync(cancellation).ConfigureAwait(false));

    /// <summary>The page Contacts: everybody, the owner's card, and the ways to add somebody.</summary>
    public async Task<IPageModel> ContactsAsync(FormState add, Notice? notice, CancellationToken cancellation) => new Contacts.ContactsModel(
        Frame(await node.StatusAsync(cancellation).ConfigureAwait(false), notice, "/live/contacts"),
        await node.Contacts.BookAsync(cancellation).ConfigureAwait(false), await node.Contacts.CardAsync(cancellation).ConfigureAwait(false),
        await node.Contacts.SpokenAsync(cancellation).ConfigureAwait(false), add);

    /// <summary>One contact.</summary>
    public async Task<IPageModel> ContactAsync(string who, FormState form, Notice? notice, CancellationToken cancellation)
    {
        var person = await node.Contacts.ShowAsync(who, cancellation).ConfigureAwait(false);
        var book = await node.Contacts.BookAsync(cancellation).ConfigureAwait(false);
        return new Contacts.ContactModel(Frame(await node.StatusAsync(cancellation).ConfigureAwait(false), notice, "/live/contact" + Query(("who", person.PublicKey))),
            person, [.. book.People.Where(other => other.PublicKey != person.PublicKey && !other.Blocked)], form);
    }

    /// <summary>The page Send.</summary>
    public async Task<IPageModel> SendAsync(FormState form, Notice? notice, CancellationToken cancellation) => new Parcels.SendModel(
        Frame(await node.StatusAsync(cancellation).ConfigureAwait(false), notice, "/live/send"), await node.Parcels.ListAsync(cancellation).ConfigureAwait(false), form);

    /// <summary>The page Mail-bag; <paramref name="problem"/> says why a file was not taken.</summary>
    public async Task<IPageModel> MailbagAsync(string? problem, Notice? notice, CancellationToken cancellation) => new Letters.MailbagModel(
        Frame(await node.StatusAsync(cancellation).ConfigureAwait(false), notice, "/live/mailbag"), await node.Mail.LookAsync(cancellation).ConfigureAwait(false),
        [.. (await node.Contacts.BookAsync(cancellation).ConfigureAwait(false)).People.Where(person => !person.Blocked).Select(person => new PeerName(person.PublicKey, person.Name))], problem);

    /// <summary>The page Chat. Whoever looks at a conversation has seen it: its senders are told.</summary>
    public async Task<IPageModel> ChatAsync(
        string? with, string? before, string? around, string? reply, string? edit, string? find, string text, string? problem, Notice? notice, CancellationToken cancellation)
    {
        ChatPage? page = null;
        if (with is not null)
        {
            try { page = await node.Chat.ShowAsync(with, before, around, seen: true, cancellation: cancellation).ConfigureAwait(false); }
            catch (OperationRefusedException refusal) { problem ??= refusal.Message; }
        }
        IReadOnlyList<ChatFound>? found = null;
        if (!string.IsNullOrWhiteSpace(find))
        {
            try { found = await node.Chat.SearchAsync(find, cancellation: cancellation).ConfigureAwait(false); }
            catch (OperationRefusedException refusal) { problem ??= refusal.Message; }
        }
        async Task<ChatMessage?> MessageAsync(string? id) => page is null || id is null ? null : page.Messages.FirstOrDefault(one => one.Id == id)
            ?? (await node.Chat.ShowAsync(with!, around: id, count: 2, cancellation: cancellation).ConfigureAwait(false)).Messages.FirstOrDefault(one => one.Id == id);
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        return new Chat.ChatModel(
            Frame(status, notice, "/live/chat" + Query(("with", page is null ? null : with), ("before", before), ("around", around))),
            await node.Chat.ListAsync(cancellation).ConfigureAwait(false), page, await node.Chat.PeopleAsync(cancellation).ConfigureAwait(false),
            await MessageAsync(reply).ConfigureAwait(false), await MessageAsync(edit).ConfigureAwait(false), find ?? "", found, text, problem);
    }

    public async Task<IPageModel> InvitationAsync(CancellationToken cancellation)
    {
        var invitation = await node.Network.InviteAsync(InvitationLifetime, cancellation).ConfigureAwait(false);
        return new InvitationModel(Frame(await node.StatusAsync(cancellation).ConfigureAwait(false), null, null), invitation);
    }

    public async Task<IPageModel> ChainAsync(string? peer, long? before, Notice? notice, CancellationToken cancellation)
    {
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        var peers = await node.PeersAsync(cancellation).ConfigureAwait(false);
        var frauds = await node.FraudsAsync(cancellation).ConfigureAwait(false);
        string[] names = [status.Identity.Name, .. peers.Select(known => known.Name).OfType<string>().Distinct().Take(50)];
        var live = "/live/chain" + Query(("peer", peer), ("before", before?.ToString(CultureInfo.InvariantCulture)));
        try
        {
            // The own name is the own chain, also for a node that has signed nothing yet.
            var whose = peer == status.Identity.Name || peer == status.Identity.PublicKey ? null : peer;
            var length = whose is null ? status.BlocksOwn : (await node.ChainAsync(whose, 1, 1, cancellation).ConfigureAwait(false)).Length;
            var top = before is { } limit ? Math.Min(limit - 1, length) : length;
            var from = (int)Math.Clamp(top - StonesDrawn + 1, 1, int.MaxValue);
            var count = (int)Math.Clamp(top - from + 1, 1, StonesDrawn);
            var chain = await node.ChainAsync(whose, from, count, cancellation).ConfigureAwait(false);
            var pairs = new List<Pair>();
            foreach (var block in chain.Blocks.Where(block => block.Sequence <= Math.Max(top, 1)).Reverse().Take(BlocksListed))
                pairs.Add(new Pair(block, block.Paired ? await OtherHalfAsync(block, cancellation).ConfigureAwait(false) : null));
            return new ChainModel(Frame(status, notice, live), chain, pairs, frauds, names, chain.Owner.Name, null, before);
        }
        catch (OperationRefusedException refusal) when (refusal.Kind is RefusalKind.NotFound or RefusalKind.BadInput)
        {
            // Not one chain: several, or a block by its hash.
            var found = peer is null ? null : await SearchAsync(peer, cancellation).ConfigureAwait(false);
            return new ChainModel(Frame(status, notice, live), null, [], frauds, names, peer ?? "", found is null ? refusal.Message : null, before) { Found = found };
        }
    }

    private async Task<LedgerSearchView?> SearchAsync(string text, CancellationToken cancellation)
    {
        try { return await node.Ledger.SearchAsync(text, cancellation).ConfigureAwait(false) is { } found && found.Chains.Count + found.Blocks.Count > 0 ? found : null; }
        catch (OperationRefusedException) { return null; }
    }

    public async Task<IPageModel> BlockAsync(string id, CancellationToken cancellation)
    {
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        var detail = await node.BlockAsync(id, cancellation).ConfigureAwait(false);
        var culprits = await CulpritsAsync(status, cancellation).ConfigureAwait(false);
        return new BlockModel(Frame(status, null, "/live/block"), detail, Words.Name(detail.Block.PublicKey),
            Words.Name(detail.Block.LinkKey), culprits.Contains(detail.Block.PublicKey) || culprits.Contains(detail.Block.LinkKey));
    }

    public async Task<IPageModel> TrustAsync(string? unit, string? by, string? why, Notice? notice, CancellationToken cancellation)
    {
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        var kind = TrustKind.All.FirstOrDefault(known => known.Name == by) ?? TrustKind.All[0];
        string? problem = null;
        IReadOnlyList<TrustView> all;
        try { all = await node.TrustAsync(null, null, kind.Name, RanksListed, cancellation).ConfigureAwait(false); }
        catch (OperationRefusedException refusal) when (kind != TrustKind.All[0])
        {
            (problem, kind) = (refusal.Message, TrustKind.All[0]);
            all = await node.TrustAsync(null, null, kind.Name, RanksListed, cancellation).ConfigureAwait(false);
        }
        var units = all.Select(row => row.Unit).Distinct().ToList();
        var chosen = unit is not null && units.Contains(unit) ? unit : units.FirstOrDefault(Units.Bytes);
        var rows = all.Where(row => row.Unit == chosen).Take(RanksListed).ToList();
        TrustExplanation? explanation = null;
        if ((why ?? rows.FirstOrDefault()?.PublicKey) is { } peer)
        {
            try { explanation = await node.WhyAsync(peer, chosen, kind.Name, cancellation).ConfigureAwait(false); }
            catch (OperationRefusedException refusal) { problem = refusal.Message; }
        }
        var frauds = status.FraudsKnown > 0 ? await node.FraudsAsync(cancellation).ConfigureAwait(false) : [];
        return new TrustModel(Frame(status, notice, "/live/trust" + Query(("unit", unit), ("by", by), ("why", why))), units, chosen, kind, rows,
            explanation, problem, [.. frauds.Select(fraud => fraud.Culprit).Distinct()]);
    }

    public async Task<IPageModel> InboxAsync(Notice? notice, CancellationToken cancellation)
    {
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        var items = await node.InboxAsync(cancellation).ConfigureAwait(false);
        var trust = items.Count > 0 ? await TrustByKeyAsync(cancellation).ConfigureAwait(false) : new Dictionary<string, TrustView>();
        return new InboxModel(Frame(status, notice, "/live/inbox"), items, trust);
    }

    public async Task<IPageModel> LabAsync(long? drawn, Notice? notice, CancellationToken cancellation)
    {
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        var count = drawn ?? lab.Current?.Nodes.Count ?? 0;
        return new LabModel(Frame(status, notice, $"/live/lab?drawn={count}"), (int)Math.Min(count, 1000));
    }

    public async Task<IPageModel> SimulationAsync(string? study, FormState form, Notice? notice, CancellationToken cancellation)
    {
        var choice = SimulatorChoice.Find(study);
        return new SimulatorModel(Frame(await node.StatusAsync(cancellation).ConfigureAwait(false), notice, "/live/simulation" + Query(("study", choice.Key))), choice, form, jobs.Current);
    }

    /// <summary>The frauds, and what an uploaded file proves.</summary>
    public async Task<IPageModel> FraudAsync(FraudCheckView? check, bool kept, string? problem, Notice? notice, CancellationToken cancellation)
    {
        var frauds = await node.Fraud.ListAsync(FraudsShown, cancellation).ConfigureAwait(false);
        return new FraudModel(Frame(await node.StatusAsync(cancellation).ConfigureAwait(false), notice, "/live/fraud"), frauds, check, kept, problem);
    }

    public async Task<IPageModel> NetworkAsync(Notice? notice, CancellationToken cancellation)
    {
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        var statistics = await node.Survey.StatisticsAsync(cancellation).ConfigureAwait(false);
        CrawlProgressView? crawl = null;
        try { crawl = await node.Survey.ProgressAsync(cancellation).ConfigureAwait(false); }
        catch (OperationRefusedException) { /* A folder at rest. */ }
        return new NetworkModel(Frame(status, notice, "/live/network"), statistics, crawl);
    }

    public async Task<IPageModel> ProblemAsync(string title, string text, CancellationToken cancellation) =>
        new ProblemModel(Frame(await node.StatusAsync(cancellation).ConfigureAwait(false), null, null), title, text);

    private FrameModel Frame(StatusView status, Notice? notice, string? livePath) =>
        new(status, time.GetUtcNow(), notice, livePath) { Lab = lab.Current };

    private async Task<BlockView?> OtherHalfAsync(BlockView block, CancellationToken cancellation)
    {
        try
        {
            return (await node.BlockAsync(block.Hash, cancellation).ConfigureAwait(false)).Linked is [var other, ..] ? other : null;
        }
        catch (OperationRefusedException) { return null; }
    }

    private async Task<IReadOnlyDictionary<string, TrustView>> TrustByKeyAsync(CancellationToken cancellation)
    {
        var trust = new Dictionary<string, TrustView>();
        // Scores of different units are never added; pictures of the whole show bytes.
        foreach (var row in await node.TrustAsync(null, Units.Bytes, cancellation: cancellation).ConfigureAwait(false)) trust.TryAdd(row.PublicKey, row);
        return trust;
    }

    private async Task<IReadOnlySet<string>> CulpritsAsync(StatusView status, CancellationToken cancellation) => status.FraudsKnown == 0
        ? new HashSet<string>()
        : (await node.FraudsAsync(cancellation).ConfigureAwait(false)).Select(fraud => fraud.Culprit.PublicKey).ToHashSet();

    private static FormState FormWithPeer(IQueryCollection query) => Text(query, "peer") is { } peer
        ? new FormState(new Dictionary<string, string> { ["peer"] = peer }, FormState.Empty.Errors) : FormState.Empty;

    private static string? Text(IQueryCollection query, string name) => query[name] is [{ Length: > 0 and <= 400 } text] ? text : null;

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Query(params ReadOnlySpan<(string Name, string? Value)> parts)
    {
        var query = "";
        foreach (var (name, value) in parts)
            if (value is not null) query += $"{(query.Length == 0 ? '?' : '&')}{name}={Uri.EscapeDataString(value)}";
        return query;
    }
}
