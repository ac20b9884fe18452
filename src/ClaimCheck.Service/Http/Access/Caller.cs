namespace ClaimCheck.Service.Http.Access;

/// <summary>The caller: the owner of the key, and the tenant whose exports it may see.</summary>
/// <param name="Name">For the administrator, what the header <c>ClaimCheck-Consumer</c> says, or <c>administrator</c>.</param>
/// <param name="Tenant">Exports of other tenants don't exist for the caller.</param>
internal sealed record Caller(string Name, string Tenant)
{
    public const string ConsumerHeader = "ClaimCheck-Consumer";
    public const string DefaultTenant = "default";
    private const string Administrator = "administrator";

    /// <summary>The service itself, without a caller.</summary>
    public const string Service = "claimcheck";

    /// <summary>The administrator, not in the name of a single consumer, with the right to act for each.</summary>
    public bool ActsForAll { get; private init; }

    public static ValueTask<Caller> BindAsync(HttpContext context) => ValueTask.FromResult(Of(context));

    public static Caller Of(HttpContext context) =>
        (Caller?)context.Items[typeof(Caller)] ?? throw new InvalidOperationException("The caller was not authenticated.");

    /// <summary>The administrator, who may speak for any consumer.</summary>
    /// <returns>Null where the header is not a valid consumer's name.</returns>
    public static Caller? Admin(HttpRequest request)
    {
        var consumer = request.Headers[ConsumerHeader].ToString();
        if (consumer.Length == 0)
            return new(Administrator, DefaultTenant) { ActsForAll = true };
        return IsConsumer(consumer) ? new(consumer, DefaultTenant) : null;
    }

    /// <summary>Whose idempotency keys are whose: they belong to one caller, and tenants never share them.</summary>
    public string KeyOwner => $"{Tenant}/{Name}";

    /// <summary>Whether it may act in a consumer's name.</summary>
    public bool MaySpeakFor(string consumer) => ActsForAll || Name == consumer;

    /// <summary>A name that a consumer may have: not one that the service uses itself.</summary>
    public static bool IsConsumer(string text) => IsName(text) && text is not (Administrator or Service);

    /// <summary>Names of consumers and callers: up to 64 letters, digits, dots, dashes and underscores.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
}
