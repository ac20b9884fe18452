using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ClaimCheck.Service.Startup;

/// <summary>The service's own addresses, without a trailing slash. Available once the server listens.</summary>
internal sealed class PublicAddress(IConfiguration configuration, IServer server)
{
    /// <summary><c>ClaimCheck:PublicUrl</c>, the beginning of everything absolute; empty where it is not set.</summary>
    public string Base { get; } = configuration["ClaimCheck:PublicUrl"]?.TrimEnd('/') ?? "";

    /// <summary>The path of that address, which a proxy in front of the service may remove or keep.</summary>
    public PathString Prefix => Base.Length == 0 ? default : PathString.FromUriComponent(new Uri(Base)).Value?.TrimEnd('/');

    /// <summary>The address of this very process, without TLS where it has one.</summary>
    public string Own => Listening(address => address.StartsWith("http://", StringComparison.Ordinal)) ?? Listening(_ => true)!;

    /// <summary>An absolute link, under the first address that the service listens on where no public one is set.</summary>
    public string Url(string path) => (Base.Length > 0 ? Base : Listening(_ => true)) + path;

    private string? Listening(Func<string, bool> matches)
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses
            ?? throw new InvalidOperationException("The server does not listen yet.");
        return addresses.FirstOrDefault(matches)?
            .Replace("://[::]", "://localhost", StringComparison.Ordinal)
            .Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal)
            .Replace("://+", "://localhost", StringComparison.Ordinal)
            .Replace("://*", "://localhost", StringComparison.Ordinal)
            .TrimEnd('/');
    }
}
