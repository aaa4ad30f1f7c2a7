using Polder.Host;

namespace Polder.Tests.Pages;

/// <summary>A staged node with its pages, and a browser without script that visits them over a real connection on 127.0.0.1.</summary>
public abstract class PlainBrowser : IAsyncLifetime
{
    private protected StagedNode Node { get; } = StagedNode.Village();
    private protected WebFace Web { get; private set; } = null!;
    private protected HttpClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Web = await WebFace.StartAsync(Node, null, 0, "token", TestContext.Current.CancellationToken);
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(Web.Address) };
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Web.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>The page at that path; fails unless it answers with success.</summary>
    private protected Task<string> GetAsync(string path) => Client.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

    /// <summary>Sends a form, as from a page of this node.</summary>
    private protected Task<HttpResponseMessage> PostAsync(string path, params (string Name, string Value)[] fields) =>
        PostAsync(path, new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))));

    /// <summary>Sends a form with files.</summary>
    private protected async Task<HttpResponseMessage> PostAsync(string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.Add("Origin", Web.Address.TrimEnd('/'));
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
