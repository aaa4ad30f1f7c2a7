using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Polder.Host.Api;
using Polder.Host.Lab;
using Polder.Host.Pages;
using Polder.Node.Operations;

namespace Polder.Host;

/// <summary>The node's web application: pages and local API on one port of 127.0.0.1.</summary>
internal sealed class WebFace : IAsyncDisposable
{
    /// <summary>Largest body of a request. Imports of chains are the largest that is wanted.</summary>
    public const long BodyBytesMax = 16 * 1024 * 1024;

    private readonly WebApplication _application;

    private WebFace(WebApplication application, int port) => (_application, Port) = (application, port);

    /// <summary>The port that it listens on.</summary>
    public int Port { get; }

    /// <summary>"http://127.0.0.1:PORT/".</summary>
    public string Address => $"http://127.0.0.1:{Port}/";

    /// <summary>Starts to listen. Throws <see cref="OperationRefusedException"/> when the port is taken.</summary>
    /// <param name="operations">The node.</param>
    /// <param name="lab">The laboratory, where one runs.</param>
    /// <param name="port">0 for any free port.</param>
    /// <param name="token">What API requests must carry.</param>
    /// <param name="cancellation">Stops the start.</param>
    public static async Task<WebFace> StartAsync(
        INodeOperations operations, ILabFeed? lab, int port, string token, CancellationToken cancellation)
    {
        // No form tokens, no static web assets, no component endpoints: the pages draw themselves and carry their files inside.
        var builder = PlainWeb.NewBuilder(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
            kestrel.Limits.MaxConcurrentConnections = 200;
            kestrel.Listen(IPAddress.Loopback, port, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddSingleton(operations);
        builder.Services.AddSingleton(lab ?? new NoLab());
        builder.Services.AddSingleton<IComponentActivator, PlainActivator>();
        PageRoutes.AddPages(builder.Services);

        var application = builder.Build();
        var gate = new Gate(token);
        application.Use(gate.PassAsync);
        application.UseRouting();
        NodeApi.Map(application, operations);
        SimulationApi.Map(application);
        PageRoutes.MapPages(application);

        try
        {
            await application.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (IOException)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw new OperationRefusedException(RefusalKind.Conflict,
                $"Port {port} on 127.0.0.1 is taken, so the page cannot be served there. Choose another with --page PORT, or --page 0 for any free one.");
        }
        var bound = new Uri(application.Urls.First()).Port;
        gate.Open(bound);
        return new WebFace(application, bound);
    }

    /// <summary>Stops listening; streams that are open are cut after a moment.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try { await _application.StopAsync(patience.Token).ConfigureAwait(false); }
        catch (OperationCanceledException) { }
        await _application.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Components have no constructors to fill, and making them needs no compiler: that saves megabytes of expression trees.</summary>
    private sealed class PlainActivator : IComponentActivator
    {
        public IComponent CreateInstance([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] Type componentType) =>
            (IComponent)Activator.CreateInstance(componentType)!;
    }
}
