using System.Text.Json;
using System.Text.Json.Serialization;
using Polder.Host.Commands;
using Polder.Host.Commands.Worlds;
using Polder.Host.Commands.People;
using Polder.Host.Commands.Records;
using Polder.Host.Lab;
using Polder.Node.Configuration;
using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>A refusal: what is wrong and what to do.</summary>
internal sealed record ErrorView(string Error);

/// <summary>Body of POST /api/peers/walk.</summary>
internal sealed record WalkBody(string? Address);

/// <summary>Body of POST /api/records.</summary>
internal sealed record RecordBody(string? Peer, bool? Gave, long? Amount, string? Unit, string? For, double? WaitSeconds);

/// <summary>Body of POST /api/inbox: no ids means all that wait.</summary>
internal sealed record AnswerBody(IReadOnlyList<string>? Ids, bool? Accept);

/// <summary>Body of POST /api/import: packed blocks as hex.</summary>
internal sealed record ImportBody(IReadOnlyList<string>? Blocks);

/// <summary>Body of POST /api/crawl.</summary>
internal sealed record CrawlBody(string? Peer);

/// <summary>Body of POST /api/connect.</summary>
internal sealed record PeerBody(string? Peer);

/// <summary>Body of POST /api/invitations: how long the invitation holds.</summary>
internal sealed record InviteBody(double? Hours);

/// <summary>A body that is one text.</summary>
internal sealed record TextBody(string? Text);

/// <summary>Body of POST /api/dht: the value as base64.</summary>
internal sealed record DhtPutBody(byte[]? Value, string? Name, string? Topic, double? Hours);

/// <summary>Body of POST /api/tags.</summary>
internal sealed record TagBody(string? Name, double? KilobytesPerSecond, int? Neighbours);

/// <summary>Body of POST /api/bundle, and answer of GET: the file as base64.</summary>
internal sealed record BundleBody(byte[]? Bundle);

/// <summary>A body that is a file, as base64.</summary>
internal sealed record FileBody(byte[]? File);

/// <summary>Body of POST /api/crawl/all.</summary>
internal sealed record RunBody(bool? Run);

/// <summary>How many.</summary>
internal sealed record CountView(int Count);

/// <summary>Answer of GET /api/changes.</summary>
internal sealed record ChangesView(long Version);

/// <summary>The file api.json of a data folder, by which commands find the running node.</summary>
/// <param name="Port">Of the page and the API on 127.0.0.1.</param>
/// <param name="Pid">Of the process.</param>
/// <param name="Token">What requests must carry; new at every start.</param>
internal sealed record ApiFile(int Port, int Pid, string Token);

/// <summary>Serializers made at compile time: the start is faster and nothing is reflected.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = false, NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(ErrorView))]
[JsonSerializable(typeof(WalkBody))]
[JsonSerializable(typeof(RecordBody))]
[JsonSerializable(typeof(AnswerBody))]
[JsonSerializable(typeof(ImportBody))]
[JsonSerializable(typeof(CrawlBody))]
[JsonSerializable(typeof(ChangesView))]
[JsonSerializable(typeof(ApiFile))]
[JsonSerializable(typeof(IdentityView))]
[JsonSerializable(typeof(StatusView))]
[JsonSerializable(typeof(PeerName))]
[JsonSerializable(typeof(RecordView))]
[JsonSerializable(typeof(CrawlView))]
[JsonSerializable(typeof(ChainView))]
[JsonSerializable(typeof(BlockDetail))]
[JsonSerializable(typeof(TrustExplanation))]
[JsonSerializable(typeof(IReadOnlyList<PeerView>))]
[JsonSerializable(typeof(IReadOnlyList<InboxItem>))]
[JsonSerializable(typeof(IReadOnlyList<BlockView>))]
[JsonSerializable(typeof(IReadOnlyList<TrustView>))]
[JsonSerializable(typeof(IReadOnlyList<FraudView>))]
[JsonSerializable(typeof(IReadOnlyList<CheckedBlock>))]
[JsonSerializable(typeof(IReadOnlyList<CaseScores>))]
[JsonSerializable(typeof(LedgerStatsView))]
[JsonSerializable(typeof(TakenInView))]
[JsonSerializable(typeof(LedgerSearchView))]
[JsonSerializable(typeof(LedgerImportView))]
[JsonSerializable(typeof(LedgerExportView))]
[JsonSerializable(typeof(LedgerVerifyView))]
[JsonSerializable(typeof(SealView))]
[JsonSerializable(typeof(PeerBody))]
[JsonSerializable(typeof(InviteBody))]
[JsonSerializable(typeof(TextBody))]
[JsonSerializable(typeof(DhtPutBody))]
[JsonSerializable(typeof(TagBody))]
[JsonSerializable(typeof(BundleBody))]
[JsonSerializable(typeof(CountView))]
[JsonSerializable(typeof(Node.Operations.People.GraphStatusView))]
[JsonSerializable(typeof(Node.Operations.People.GraphSoulsView))]
[JsonSerializable(typeof(Node.Operations.People.GraphNodeView))]
[JsonSerializable(typeof(Node.Operations.People.GraphPutRequest))]
[JsonSerializable(typeof(Node.Operations.People.GraphEntriesView))]
[JsonSerializable(typeof(Node.Operations.People.GraphEntryView))]
[JsonSerializable(typeof(IReadOnlyList<Node.Operations.People.GraphEntryView>))]
[JsonSerializable(typeof(Node.Operations.People.GraphMergeView))]
[JsonSerializable(typeof(Node.Operations.People.GraphChangesView))]
[JsonSerializable(typeof(Node.Operations.People.GraphChangeView))]
[JsonSerializable(typeof(Node.Operations.People.GraphAccountRequest))]
[JsonSerializable(typeof(Node.Operations.People.GraphAccountView))]
[JsonSerializable(typeof(Node.Operations.People.GraphTopicsView))]
[JsonSerializable(typeof(Node.Operations.People.GraphTopicRequest))]
[JsonSerializable(typeof(Node.Operations.People.GraphCopiesView))]
[JsonSerializable(typeof(Node.Operations.People.GraphSharesView))]
[JsonSerializable(typeof(Node.Operations.People.GraphSharesRequest))]
[JsonSerializable(typeof(Node.Operations.People.GraphRecoveryRequest))]
[JsonSerializable(typeof(Node.Operations.People.GraphTrustRequest))]
[JsonSerializable(typeof(Node.Operations.People.GraphKnownKeysView))]
[JsonSerializable(typeof(Node.Operations.People.MailbagView))]
[JsonSerializable(typeof(Node.Operations.People.BundleMadeView))]
[JsonSerializable(typeof(Node.Operations.People.BundleTakenView))]
[JsonSerializable(typeof(FileBody))]
[JsonSerializable(typeof(RunBody))]
[JsonSerializable(typeof(FraudDocument))]
[JsonSerializable(typeof(FraudCheckView))]
[JsonSerializable(typeof(IReadOnlyList<FraudDetail>))]
[JsonSerializable(typeof(CrawlProgressView))]
[JsonSerializable(typeof(NetworkStatisticsView))]
[JsonSerializable(typeof(DoctorView))]
[JsonSerializable(typeof(ConnectionView))]
[JsonSerializable(typeof(InvitationView))]
[JsonSerializable(typeof(ContactView))]
[JsonSerializable(typeof(IReadOnlyList<ContactView>))]
[JsonSerializable(typeof(DhtAnswer))]
[JsonSerializable(typeof(DhtStored))]
[JsonSerializable(typeof(DhtNodes))]
[JsonSerializable(typeof(TagView))]
[JsonSerializable(typeof(IReadOnlyList<TagView>))]
[JsonSerializable(typeof(LabSnapshot))]
[JsonSerializable(typeof(SimView))]
[JsonSerializable(typeof(BackupView))]
[JsonSerializable(typeof(ReadyView))]
[JsonSerializable(typeof(StudyView))]
[JsonSerializable(typeof(SimulationBody))]
[JsonSerializable(typeof(ParcelCodeView))]
[JsonSerializable(typeof(ParcelEndView))]
[JsonSerializable(typeof(SimulationView))]
[JsonSerializable(typeof(IReadOnlyList<StudyInfo>))]
[JsonSerializable(typeof(IReadOnlyList<OptionValue>))]
[JsonSerializable(typeof(IReadOnlyList<ScenarioView>))]
[JsonSerializable(typeof(IReadOnlyList<FigureView>))]
internal sealed partial class HostJson : JsonSerializerContext;
