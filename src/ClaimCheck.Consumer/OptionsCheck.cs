using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace ClaimCheck.Consumer;

/// <summary>Checks options when the host starts, and reports all faults at once.</summary>
internal static class OptionsCheck
{
    /// <param name="services">The host's services.</param>
    /// <param name="errors">What is wrong: the value, the rule, and the consequence.</param>
    public static void Add<T>(IServiceCollection services, Func<T, IServiceProvider, IEnumerable<string>> errors)
        where T : class =>
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<T>, Validator<T>>(
            provider => new Validator<T>(options => errors(options, provider))));

    private sealed class Validator<T>(Func<T, IEnumerable<string>> errors) : IValidateOptions<T>
        where T : class
    {
        public ValidateOptionsResult Validate(string? name, T options) =>
            errors(options).ToList() is { Count: > 0 } found ? ValidateOptionsResult.Fail(found) : ValidateOptionsResult.Success;
    }
}
